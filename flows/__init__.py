"""When, where and with what patience: the only place that imports Prefect."""
