"""Exact match: the share of hypotheses that equal one of their references, character for character.

Example: "No." against ("No.", "Nope.") counts, "no." does not.
"""

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.metric import Statistics
from pipeline.settings import Settings


class ExactMatch(Settings):
    """Share of exact matches, 0 to 1."""

    higher_is_better: ClassVar[bool] = True

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """[1 if it matches, 1] of every row; language plays no part."""
        rows = [
            [float(text in accepted), 1.0]
            for text, accepted in zip(hypotheses, references, strict=True)
        ]
        counts = sorted({len(accepted) for accepted in references})
        number = str(counts[0]) if len(counts) == 1 else "var"
        return Statistics(np.array(rows, dtype=np.float64), f"nrefs:{number}|case:mixed|space:yes")

    def score(self, sums: NDArray[np.float64]) -> float:
        """Matches over rows."""
        return float(sums[0] / sums[1])

    def sentence(self, row: NDArray[np.float64]) -> float:
        """1 for a match, else 0."""
        return self.score(row)
