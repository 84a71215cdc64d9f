"""What a search finds, and the places that keep it until the search is over.

Places are tensors, one row a source, so that finishing costs no Python for each hypothesis; only
at the end does a row become records.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.batches.batch import EOS
from pipeline.problems import Problem


@dataclass(frozen=True, slots=True)
class Found:
    """One hypothesis. `score` orders the n-best; `log_probability` is the model's own sum, in nats.

    Example: `Found(ids=(17, 4, 250), score=-0.21, log_probability=-0.84, length=4)`.
    """

    ids: tuple[int, ...]  # without EOS
    score: float
    log_probability: float  # EOS included
    length: int  # in ids, EOS included


class Places:
    """Places for `places` finished hypotheses of each of N sources, of at most `longest` ids."""

    def __init__(self, sources: int, places: int, longest: int, device: torch.device) -> None:
        shape = (sources, places)
        self.ids = torch.full((*shape, longest), EOS, dtype=torch.int64, device=device)
        self.totals = torch.zeros(shape, dtype=torch.float64, device=device)
        self.scores = torch.full(shape, -math.inf, dtype=torch.float64, device=device)
        self.lengths = torch.zeros(shape, dtype=torch.int64, device=device)
        self.counts = torch.zeros(sources, dtype=torch.int64, device=device)

    def add(
        self,
        rows: Int[Tensor, " live"],
        ended: Bool[Tensor, "live beams"],
        ids: Int[Tensor, "live beams length"],
        totals: Float[Tensor, "live beams"],
        scores: Float[Tensor, "live beams"],
    ) -> None:
        """Give each hypothesis marked in `ended` the next place of its source; `ids` end in EOS."""
        live, beam = ended.nonzero(as_tuple=True)
        row = rows[live]
        place = (self.counts[rows, None] + ended.cumsum(1) - 1)[live, beam]
        self.ids[row, place, : ids.shape[2]] = ids[live, beam]
        self.totals[row, place] = totals[live, beam]
        self.scores[row, place] = scores[live, beam]
        self.lengths[row, place] = ids.shape[2]
        self.counts[rows] += ended.sum(1)

    def free(self, rows: Int[Tensor, "*live"]) -> Int[Tensor, "*live"]:
        """How many places these sources have left."""
        return self.ids.shape[1] - self.counts[rows]

    def best(self, count: int) -> list[list[Found]]:
        """The `count` best of each source, best first; of equal scores, the one found earlier."""
        order = self.scores.sort(dim=1, descending=True, stable=True).indices[:, :count]
        ids = self.ids.take_along_dim(order[:, :, None], 1).tolist()
        scores, totals, lengths = (
            values.take_along_dim(order, 1).tolist()
            for values in (self.scores, self.totals, self.lengths)
        )
        return [_records(*row) for row in zip(ids, scores, totals, lengths, strict=True)]


def distinct(found: Sequence[Found], count: int) -> list[Found]:
    """The `count` best without those that were found before; of equal scores, the earlier one."""
    kept: dict[tuple[int, ...], Found] = {}
    for one in sorted(found, key=lambda one: -one.score):
        kept.setdefault(one.ids, one)
    return list(kept.values())[:count]


def _records(
    ids: list[list[int]], scores: list[float], totals: list[float], lengths: list[int]
) -> list[Found]:
    found = [
        Found(tuple(one[: length - 1]), score, total, length)
        for one, score, total, length in zip(ids, scores, totals, lengths, strict=True)
        if math.isfinite(score)
    ]
    if not found:
        raise Problem(
            "the search found no target of positive probability",
            where="decoding",
            remedy="look for weights that are not finite (a diverged run), or a prefix that the "
            "model cannot produce",
        )
    return found
