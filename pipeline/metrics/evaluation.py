"""Evaluation: all metrics of one test set, as a whole, by slice and by sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import field_validator

from pipeline.metrics import MetricSettings, as_metric, kind
from pipeline.metrics.metric import Metric, Statistics, common_language
from pipeline.metrics.slices import slices
from pipeline.outputs import Output
from pipeline.records import Score
from pipeline.settings import Settings


class Evaluation(Settings):
    """The section `evaluation` of params.yaml."""

    metrics: tuple[MetricSettings, ...]
    """Metrics by name, or `{kind: NAME, …}` with their fields; each name once."""
    length_bounds: tuple[int, ...] = ()
    """Where slices by source length end, in words: [10, 20] makes 1-10, 11-20 and 21+."""

    @field_validator("metrics")
    @classmethod
    def _each_once(cls, metrics: tuple[Settings, ...]) -> tuple[Settings, ...]:
        names = [kind(as_metric(metric)) for metric in metrics]
        if not names or len(set(names)) < len(names):
            raise ValueError("at least one metric, and each only once")
        return metrics

    @field_validator("length_bounds")
    @classmethod
    def _rising(cls, bounds: tuple[int, ...]) -> tuple[int, ...]:
        if any(bound < 1 for bound in bounds) or list(bounds) != sorted(set(bounds)):
            raise ValueError("bounds are positive and rise")
        return bounds

    def named(self) -> dict[str, Metric]:
        """Name → metric."""
        return {kind(metric): metric for metric in map(as_metric, self.metrics)}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One test set's scores: of all rows, of each slice, and each row's by metric."""

    scores: dict[str, Score]
    slices: dict[str, dict[str, Score]]
    sentences: list[dict[str, float]]


def language_of(outputs: Sequence[Output]) -> str:
    """The target language of all rows, or "" where they differ: then words are cut by 13a."""
    return common_language([output.target_language for output in outputs])


def statistics(metric: Metric, outputs: Sequence[Output]) -> Statistics:
    """A metric's statistics of each row's best hypothesis."""
    texts = [output.text for output in outputs]
    references = [output.references for output in outputs]
    return metric.statistics(texts, references, language_of(outputs))


def evaluate(evaluation: Evaluation, outputs: Sequence[Output]) -> Evaluated:
    """Score one test set by every metric."""
    metrics = evaluation.named()
    found = {name: statistics(metric, outputs) for name, metric in metrics.items()}

    def scores(rows: list[int]) -> dict[str, Score]:
        return {
            name: Score(
                metric=name,
                value=metric.score(found[name].values[rows].sum(0)),
                rows=len(rows),
                signature=found[name].signature,
            )
            for name, metric in metrics.items()
        }

    parts = slices(outputs, evaluation.length_bounds)
    return Evaluated(
        scores=scores(list(range(len(outputs)))),
        slices={name: scores(rows) for name, rows in parts.items()},
        sentences=[
            {name: metric.sentence(found[name].values[row]) for name, metric in metrics.items()}
            for row in range(len(outputs))
        ],
    )
