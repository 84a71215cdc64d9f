"""Metrics and ledgers in artifacts/ as rows of tables, for the screen and for Prefect."""

from collections.abc import Mapping
from pathlib import Path

from pipeline.files import read_json
from pipeline.report.ledgers import read_ledgers


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


def ledger_rows(artifacts: Path) -> list[dict[str, str]]:
    """A row for every corpus and stage: in = kept + joined + dropped, and by which rule."""
    return [
        {
            "stage": one.stage,
            "corpus": one.corpus,
            "in": str(one.rows_in),
            "kept": str(one.kept),
            "joined": str(one.joined),
            "dropped": str(sum(one.dropped.values())),
            "by rule": _counts(one.dropped),
            "changed": _counts(one.changed),
        }
        for one in read_ledgers(artifacts)
    ]


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{rule} {count}" for rule, count in counts.items() if count)
