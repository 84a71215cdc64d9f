"""The coverage penalty: a hypothesis that never looked at a part of its source is worth less.

Wu et al. 2016 (arXiv 1609.08144, equation 14): beta · Σ over source positions of
log(min(Σ over steps of the attention there, 1)). It is never positive, so a bound of the score
without it is a bound with it. A position's sum is taken as at least FLOOR, so that one that was
never looked at costs beta · 20.7 and not infinity.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.problems import Problem

FLOOR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Attention summed over the steps so far, of each hypothesis."""

    real: Bool[Tensor, "sources width"]  # source positions; padding neither costs nor counts
    sums: Float[Tensor, "sources beams width"]

    def add(self, attention: Float[Tensor, "sources beams inner"] | None) -> "Coverage":
        """After one more step. A batch whose longest source has left may come back narrower."""
        attention = _given(attention)
        width, mine = attention.shape[2], self.sums.shape[2]
        if width > mine or bool(self.real[:, width:].any()):
            raise Problem(
                "a coverage penalty needs attention over each position of the source",
                where="decoding.search.coverage_penalty",
                value=f"attention over {width} positions, sources of up to {mine}",
                remedy="set coverage_penalty to 0",
            )
        return Coverage(self.real[:, :width], self.sums[:, :, :width] + attention)

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "Coverage":
        """The coverage of these beams of these sources (None: of all)."""
        real = self.real if sources is None else self.real[sources]
        sums = self.sums if sources is None else self.sums[sources]
        return Coverage(real, sums.take_along_dim(beams[:, :, None], 1))

    def penalty(self) -> Float[Tensor, "sources beams"]:
        """Σ log(min(sum, 1)) of each hypothesis: 0 where every position was looked at in full."""
        logs = self.sums.double().clamp(FLOOR, 1.0).log()
        return (logs * self.real[:, None, :]).sum(2)


def no_coverage(lengths: Sequence[int], like: Tensor) -> Coverage:
    """Before the first step: one hypothesis a source, nothing looked at."""
    longest = max(lengths, default=0)
    ends = torch.tensor(lengths, dtype=torch.int64, device=like.device)
    real = torch.arange(longest, device=like.device) < ends[:, None]
    return Coverage(real, torch.zeros(len(lengths), 1, longest, device=like.device))


def _given(attention: Tensor | None) -> Tensor:
    if attention is None:
        raise Problem(
            "a coverage penalty needs attention, and this model's decoder gives none",
            where="decoding.search.coverage_penalty",
            remedy="set coverage_penalty to 0, or choose a decoder that gives its attention",
        )
    return attention
