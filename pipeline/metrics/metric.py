"""What every metric offers: statistics of each sentence, whose sum over any rows gives the score.

Because a score is a function of summed statistics, slices and thousands of bootstrap samples cost
additions, not another look at the sentences.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from pipeline.records import Score


@dataclass(frozen=True, slots=True, eq=False)
class Statistics:
    """Sufficient statistics [rows, width] of hypotheses against references, and their signature."""

    values: NDArray[np.float64]
    signature: str


class Metric(Protocol):
    """A metric."""

    higher_is_better: ClassVar[bool]  # of a score, an error rate, …: which way is better

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """Each row's statistics against its references (one or more), which are in `language`."""
        ...

    def score(self, sums: NDArray[np.float64]) -> float:
        """The score of a set of rows, from the sum of their statistics [width]."""
        ...

    def sentence(self, row: NDArray[np.float64]) -> float:
        """The score of a single row, from its statistics [width]."""
        ...


def common_language(languages: Iterable[str]) -> str:
    """The language that all have, or "", which no metric takes for one, where they differ."""
    found = set(languages)
    return found.pop() if len(found) == 1 else ""


def measure(
    metric: Metric,
    name: str,
    hypotheses: Sequence[str],
    references: Sequence[Sequence[str]],
    language: str = "",
) -> Score:
    """The score of a whole set. Zero rows have no score: asking for one is a mistake of ours."""
    assert hypotheses, "no rows to measure"
    found = metric.statistics(hypotheses, references, language)
    return Score(name, metric.score(found.values.sum(0)), len(hypotheses), found.signature)
