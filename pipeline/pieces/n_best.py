"""Draws among the n best segmentations of a unigram model (Kudo 2018, arXiv 1804.10959).

Example, alpha 0.5: of ▁Mädchen (log-probability -9) and ▁Mäd chen (-13) the first is drawn e² = 7.4
times as often as the second.
"""

import math
from itertools import accumulate
from random import Random
from typing import Any

from pydantic import Field

from pipeline.pieces.sampler import Sampler, Segmenter, has_n_best
from pipeline.problems import Problem


class NBest(Sampler):
    """In proportion to a power of their probabilities."""

    n_best: int = Field(64, ge=2)
    """The segmentations that are drawn from."""
    alpha: float = Field(0.1, ge=0)
    """The power: 0 draws all equally often, 1 as the language model thinks."""

    def segmenter(self, processor: Any) -> Segmenter:
        """Needs a unigram model."""
        if not has_n_best(processor):
            raise Problem(
                "byte-pair pieces have no n best segmentations",
                where="params.yaml, encoding.subword_regularisation.kind",
                value="n_best",
                remedy="set it to bpe_dropout, or pieces.kind: unigram",
            )

        pieces = range(processor.get_piece_size())
        scores: list[float] = [self.alpha * processor.get_score(number) for number in pieces]

        def segment(text: str, random: Random) -> list[int]:
            found = processor.nbest_encode(text, nbest_size=self.n_best, out_type=int)
            return _drawn(found, scores, random) if text else []

        return segment


def _drawn(found: list[list[int]], scores: list[float], random: Random) -> list[int]:
    """In proportion to exp(the sum of a segmentation's scores)."""
    sums = [sum(scores[number] for number in ids) for ids in found]
    best = max(sums)
    totals = list(accumulate(math.exp(each - best) for each in sums))
    drawn = random.random() * totals[-1]
    return next(ids for ids, total in zip(found, totals, strict=True) if drawn < total)
