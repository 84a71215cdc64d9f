"""Metrics and ledgers in artifacts/ as rows of tables, for the screen and for Prefect."""

from pathlib import Path
from typing import Any

from pipeline.files import read_json

STAGES = ("ingest", "clean", "encode")


def metric_rows(artifacts: Path) -> list[dict[str, str]]:
    """A row a test set; {} values are left out."""
    path = artifacts / "metrics.json"
    if not path.is_file():
        return []
    scores: dict[str, dict[str, float]] = read_json(path)
    return [
        {"test set": name, **{metric: f"{value:.4g}" for metric, value in values.items()}}
        for name, values in scores.items()
    ]


def ledgers(artifacts: Path) -> list[dict[str, Any]]:
    """All ledgers, in the order of the stages."""
    paths = [artifacts / "ledgers" / f"{stage}.json" for stage in STAGES]
    return [one for path in paths if path.is_file() for one in read_json(path)["ledgers"]]


def ledger_rows(artifacts: Path) -> list[dict[str, str]]:
    """A row for every corpus and stage: in = kept + dropped, and by which rule."""
    return [
        {
            "stage": one["stage"],
            "corpus": one["corpus"],
            "in": str(one["rows_in"]),
            "kept": str(one["kept"]),
            "dropped": str(one["rows_in"] - one["kept"]),
            "by rule": _counts(one["dropped"]),
            "changed": _counts(one["changed"]),
        }
        for one in ledgers(artifacts)
    ]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in counts.items() if count)
