"""Metrics: strings → score, with the signature that makes it comparable.

A new metric is one file and one line in `METRICS`.
"""

from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, SerializeAsAny

from pipeline.choose import chosen
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.character_error_rate import CharacterErrorRate
from pipeline.metrics.chrf import Chrf
from pipeline.metrics.exact_match import ExactMatch
from pipeline.metrics.metric import Metric
from pipeline.metrics.row_error_rate import RowErrorRate
from pipeline.metrics.word_error_rate import WordErrorRate
from pipeline.settings import Settings

METRICS: Mapping[str, type[Settings]] = {
    "bleu": Bleu,
    "character_error_rate": CharacterErrorRate,
    "chrf": Chrf,
    "exact_match": ExactMatch,
    "row_error_rate": RowErrorRate,
    "word_error_rate": WordErrorRate,
}


def _spelled_out(value: object) -> object:
    """`bleu` is short for `{kind: bleu}`."""
    return {"kind": value} if isinstance(value, str) else value


# Validators before a value run from the last to the first.
MetricSettings = Annotated[SerializeAsAny[Settings], chosen(METRICS), BeforeValidator(_spelled_out)]
"""A field that holds a metric: its name, or its name and fields."""


def kind(metric: Metric) -> str:
    """The name under which a metric stands in the table."""
    return next(name for name, member in METRICS.items() if isinstance(metric, member))


def as_metric(settings: Settings) -> Metric:
    """A member of the table as what it is: the table's contract test holds every member to it."""
    return cast(Metric, settings)


def higher_is_better(name: str) -> bool:
    """Which way a metric of the table is better."""
    return cast(type[Metric], METRICS[name]).higher_is_better
