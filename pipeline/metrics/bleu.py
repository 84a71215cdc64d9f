"""BLEU (Papineni et al. 2002) as sacreBLEU computes it (Post 2018).

Example: hypothesis "A girl climbs ." against "A girl climbs up ." gives statistics
[4, 5, 4, 2, 1, 0, 4, 3, 2, 1]: lengths, matching n-grams, all n-grams.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.metric import Statistics
from pipeline.metrics.sentences import columns
from pipeline.problems import Problem
from pipeline.settings import Settings

if TYPE_CHECKING:  # loaded where something is scored: most commands score nothing
    from sacrebleu.metrics.bleu import BLEU

Tokenizer = Literal["auto", "13a", "intl", "char", "none", "zh", "ja-mecab", "ko-mecab"]


class Bleu(Settings):
    """Corpus BLEU with 4-grams and exponential smoothing, 0 to 100."""

    higher_is_better: ClassVar[bool] = True

    lowercase: bool = False
    """Compare without case. The usual figure is cased."""
    tokenizer: Tokenizer = "auto"
    """How sacreBLEU cuts words. auto: by target language (zh, ja, ko have their own, else 13a)."""

    def statistics(
        self, hypotheses: Sequence[str], references: Sequence[Sequence[str]], language: str
    ) -> Statistics:
        """[hypothesis length, reference length, 4 × matching, 4 × all n-grams] of every row."""
        metric = self._sacrebleu(language)
        rows = metric._extract_corpus_statistics(  # pyright: ignore[reportPrivateUsage]
            hypotheses, columns(references)
        )
        return Statistics(np.array(rows, dtype=np.float64), str(metric.get_signature()))

    def score(self, sums: NDArray[np.float64]) -> float:
        """BLEU of summed statistics."""
        return _bleu(sums, effective_order=False)

    def sentence(self, row: NDArray[np.float64]) -> float:
        """BLEU of one sentence, of the orders that it is long enough for."""
        return _bleu(row, effective_order=True)

    def _sacrebleu(self, language: str) -> "BLEU":
        from sacrebleu.metrics.bleu import BLEU

        tokenizer = None if self.tokenizer == "auto" else self.tokenizer
        try:
            return BLEU(lowercase=self.lowercase, tokenize=tokenizer, trg_lang=language, force=True)
        except (ImportError, RuntimeError) as error:
            raise Problem(
                "sacreBLEU's tokenizer for this language is not installed",
                where="params.yaml, evaluation.metrics, bleu",
                value=language,
                remedy=f"pip install 'sacrebleu[{language}]', or {{kind: bleu, tokenizer: char}}",
            ) from error


def _bleu(sums: NDArray[np.float64], effective_order: bool) -> float:
    from sacrebleu.metrics.bleu import BLEU

    numbers = [int(number) for number in sums]
    found = BLEU.compute_bleu(
        correct=numbers[2:6],
        total=numbers[6:],
        sys_len=numbers[0],
        ref_len=numbers[1],
        smooth_method="exp",
        effective_order=effective_order,
    )
    return float(found.score)
