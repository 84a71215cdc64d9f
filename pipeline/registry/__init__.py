"""Registry: runs, versions, decisions and the gate. The only room that imports mlflow.

mlflow costs more than a second to import, so it is imported inside functions: a command that only
parses settings stays fast.
"""
