"""A share: what one worker takes of a group, and what holds for the group as a whole."""

from dataclasses import dataclass, replace

import torch

from pipeline.batches.batch import Batch
from pipeline.batches.padding import Padding
from pipeline.batches.plan import Position


@dataclass(frozen=True, slots=True)
class Supply:
    """How a group came to its step; nothing here changes a weight."""

    waiting_seconds: float  # of this worker, for its share
    padding: Padding


@dataclass(frozen=True, slots=True, eq=False)
class Share:
    """A worker's slots, laid one after the other (it may have none)."""

    examples: Batch
    counts: tuple[int, ...]  # examples of each slot
    most: int  # slots of the worker with most of them
    tokens: int  # target tokens of the whole group, EOS included
    padding: Padding  # of the whole group
    position: Position  # of the group that follows

    def batches(self, device: torch.device) -> list[Batch]:
        """The slots on a device; they go there together."""
        return self.examples.to(device).split(self.counts)

    def pinned(self) -> "Share":
        """The same share in pinned memory."""
        return replace(self, examples=self.examples.pinned())
