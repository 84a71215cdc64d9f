"""Metrics: strings → score, with the signature that makes it comparable.

A new metric is one file and one line in `METRICS`.
"""

from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, SerializeAsAny

from pipeline.choose import chosen
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.chrf import Chrf
from pipeline.metrics.exact_match import ExactMatch
from pipeline.metrics.metric import Metric
from pipeline.settings import Settings

METRICS: Mapping[str, type[Settings]] = {
    "bleu": Bleu,
    "chrf": Chrf,
    "exact_match": ExactMatch,
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
