"""Error rates: edits from the hypothesis to the closest reference, for 100 units of that reference.

Example in words: "AE B S" against ("AE B Z", "EY B IY EH S") has 1 error in 3, a rate of 33.3. Of
several references the one with the fewest edits counts; of those with equally few, the longest.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.edits import Units, edits
from pipeline.metrics.metric import Statistics
from pipeline.settings import Settings


class ErrorRate(Settings, ABC):
    """What every error rate has; a final class says what its units are."""

    higher_is_better: ClassVar[bool] = False
    unit: ClassVar[str]  # its name, for the signature

    @abstractmethod
    def units(self, text: str) -> Units:
        """The text in units."""

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """[errors, units of the closest reference] of every row; language plays no part."""
        assert all(references), "a row without a reference"
        counts = [len(accepted) for accepted in references]
        rows = np.repeat(np.arange(len(counts)), counts)
        wanted = [self.units(text) for accepted in references for text in accepted]
        said = [self.units(text) for text in hypotheses]
        errors = edits([said[row] for row in rows], wanted)
        lengths = np.array([len(units) for units in wanted], np.int64)
        order = np.lexsort((-lengths, errors, rows))
        closest = order[np.unique(rows[order], return_index=True)[1]]
        values = np.stack([errors[closest], lengths[closest]], axis=1).astype(np.float64)
        return Statistics(values, self._signature(counts))

    def score(self, sums: NDArray[np.float64]) -> float:
        """Errors for 100 units; where there is no unit, for one."""
        return float(100 * sums[0] / max(sums[1], 1.0))

    def sentence(self, row: NDArray[np.float64]) -> float:
        """The rate of one row."""
        return self.score(row)

    def _signature(self, counts: list[int]) -> str:
        several = sorted(set(counts))
        number = str(several[0]) if len(several) == 1 else "var"
        return f"nrefs:{number}|unit:{self.unit}|ref:closest|case:mixed|norm:none"
