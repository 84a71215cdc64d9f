"""What a hypothesis may say next, whatever the model thinks: prefixes, lengths, banned ids.

Constraints only strike candidates out. They never renormalise, so a score is always the model's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from pipeline.batches.batch import BOS, EOS, PAD, UNKNOWN, Batch
from pipeline.problems import Problem

BANNED = (PAD, UNKNOWN, BOS)  # never taken freely; a forced prefix may hold them
FREE = -1


@dataclass(frozen=True, slots=True, eq=False)
class Constraints:
    """Of each source: how many ids a hypothesis may have, and with which it must begin."""

    limits: Int[Tensor, " sources"]  # EOS counted
    prefixes: Int[Tensor, "sources longest"]  # FREE behind each one's end

    def forced(self, step: int) -> Int[Tensor, " sources"] | None:
        """The only id allowed as number `step` (from 0), FREE where any is; None: all are free."""
        width = self.prefixes.shape[1]
        last = self.limits == step + 1
        if step >= width:
            return torch.where(last, EOS, FREE) if bool(last.any()) else None
        return torch.where(last, EOS, self.prefixes[:, step])

    def select(self, sources: Int[Tensor, " kept"]) -> "Constraints":
        """Those of some sources."""
        return Constraints(self.limits[sources], self.prefixes[sources])


def constrain(
    batch: Batch,
    vocabulary: int,
    max_length_ratio: float,
    max_length_extra: int,
    prefixes: Sequence[Sequence[int]] | None,
) -> Constraints:
    """The constraints of a batch: limits from the sources' own lengths, never their neighbours'.

    Limit: floor(ratio × source positions) + extra ids, EOS counted; never below one, nor below a
    prefix and its EOS.
    """
    starts = [()] * batch.count if prefixes is None else [tuple(prefix) for prefix in prefixes]
    if len(starts) != batch.count:
        raise Problem(f"{batch.count} sources need as many prefixes", value=len(starts))
    _check(starts, vocabulary)
    limits = [
        max(1, math.floor(max_length_ratio * length) + max_length_extra, len(start) + 1)
        for length, start in zip(batch.source.lengths, starts, strict=True)
    ]
    width = max(map(len, starts), default=0)
    table = [[*start, *[FREE] * (width - len(start))] for start in starts]
    device = batch.source.values.device
    return Constraints(
        torch.tensor(limits, dtype=torch.int64, device=device),
        torch.tensor(table, dtype=torch.int64, device=device).reshape(batch.count, width),
    )


def _check(prefixes: Sequence[Sequence[int]], vocabulary: int) -> None:
    for number, prefix in enumerate(prefixes):
        if any(not 0 <= id < vocabulary or id == EOS for id in prefix):
            raise Problem(
                f"a forced prefix holds ids from 0 to {vocabulary - 1}, and no EOS ({EOS})",
                where=f"prefix of source {number}",
                value=list(prefix),
            )
