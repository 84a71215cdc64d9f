"""chrF (Popović 2015) and chrF++ (Popović 2017) as sacreBLEU computes them.

A row's statistics are, for each character order 1 to 6 (and word order, if any), the number of
n-grams of the hypothesis, of the reference, and of both.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.metric import Statistics
from pipeline.metrics.sentences import columns
from pipeline.settings import Settings

if TYPE_CHECKING:  # loaded where something is scored: most commands score nothing
    from sacrebleu.metrics.chrf import CHRF


class Chrf(Settings):
    """Corpus chrF2, 0 to 100."""

    higher_is_better: ClassVar[bool] = True

    word_order: Literal[0, 2] = 0
    """0: chrF, characters only. 2: chrF++, with words and pairs of words."""

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """[hypothesis, reference, matching] for every order, of every row, in any language."""
        metric = self._sacrebleu()
        rows = metric._extract_corpus_statistics(  # pyright: ignore[reportPrivateUsage]
            hypotheses, columns(references)
        )
        return Statistics(np.array(rows, dtype=np.float64), str(metric.get_signature()))

    def score(self, sums: NDArray[np.float64]) -> float:
        """ChrF of summed statistics."""
        numbers = [int(number) for number in sums]
        metric = self._sacrebleu()
        found = metric._compute_score_from_stats(numbers)  # pyright: ignore[reportPrivateUsage]
        return float(found.score)

    def sentence(self, row: NDArray[np.float64]) -> float:
        """ChrF of one sentence."""
        return self.score(row)

    def _sacrebleu(self) -> "CHRF":
        from sacrebleu.metrics.chrf import CHRF

        return CHRF(word_order=self.word_order)
