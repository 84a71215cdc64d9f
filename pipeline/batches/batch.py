"""A batch: sources, and in training their targets, for real positions only.

Example: two sources of 3 and 1 ids are `Ragged(values=[11, 12, 3, 3], lengths=[3, 1])`. A padded
view exists only inside attention and recurrence, which make it from the lengths.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3  # the same in every vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Sequences of different lengths laid end to end; lengths on the device and on the host."""

    values: Shaped[Tensor, "positions ..."]  # ids [positions], or frames [positions, channels]
    lengths: tuple[int, ...]  # on the host: no synchronisation to learn a shape

    @property
    def count(self) -> int:
        """How many sequences."""
        return len(self.lengths)

    @property
    def longest(self) -> int:
        """The length of the longest sequence, 0 without any."""
        return max(self.lengths, default=0)

    def device_lengths(self) -> Int[Tensor, " sequences"]:
        """Lengths as a tensor beside the values."""
        return torch.tensor(self.lengths, dtype=torch.int64, device=self.values.device)

    def to(self, device: torch.device | str) -> "Ragged":
        """The same sequences on another device."""
        return Ragged(self.values.to(device), self.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """N sources; in training also N prefixes (BOS + target) and N targets (target + EOS).

    `index` is each example's place in its group: together with seed and step it is the key of every
    random number that the example draws, however the group is cut into batches.
    """

    source: Ragged
    prefix: Ragged | None
    target: Ragged | None
    index: Int[Tensor, " sequences"]

    @property
    def count(self) -> int:
        """How many examples."""
        return self.source.count

    def to(self, device: torch.device | str) -> "Batch":
        """The same batch on another device."""
        prefix = None if self.prefix is None else self.prefix.to(device)
        target = None if self.target is None else self.target.to(device)
        return Batch(self.source.to(device), prefix, target, self.index.to(device))
