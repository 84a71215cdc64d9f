"""A batch: sources, and in training their targets, for real positions only.

Example: two sources of 3 and 1 ids are `Ragged(values=[11, 12, 3, 3], lengths=[3, 1])`. A padded
view exists only inside attention and recurrence, which make it from the lengths.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3  # the same in every vocabulary


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Sequences of different lengths laid end to end; lengths on the device and on the host."""

    values: Shaped[Tensor, "positions ..."]  # ids [positions], or frames [positions, channels]
    lengths: tuple[int, ...]  # on the host: no synchronisation to learn a shape
    multiple: int = 1  # what the width of padded views is rounded up to

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
        return on_device(self.lengths, self.values.device)

    def to(self, device: torch.device | str) -> "Ragged":
        """The same sequences on another device."""
        return replace(self, values=_moved(self.values, device))

    def pinned(self) -> "Ragged":
        """The same sequences in memory that a GPU reads while the host goes on."""
        return replace(self, values=self.values.pin_memory())

    def split(self, counts: Sequence[int]) -> "list[Ragged]":
        """Consecutive sequences, so many in each part; no copy."""
        lengths = [self.lengths[end - count : end] for end, count in _ends(counts)]
        parts = self.values.split([sum(part) for part in lengths])
        return [Ragged(values, part) for values, part in zip(parts, lengths, strict=True)]


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
        return Batch(self.source.to(device), prefix, target, _moved(self.index, device))

    def pinned(self) -> "Batch":
        """The same batch in pinned memory."""
        prefix = None if self.prefix is None else self.prefix.pinned()
        target = None if self.target is None else self.target.pinned()
        return Batch(self.source.pinned(), prefix, target, self.index.pin_memory())

    def split(self, counts: Sequence[int]) -> "list[Batch]":
        """Consecutive examples, so many in each batch; no copy."""
        none = [None] * len(counts)
        parts = zip(
            self.source.split(counts),
            none if self.prefix is None else self.prefix.split(counts),
            none if self.target is None else self.target.split(counts),
            self.index.split(list(counts)),
            strict=True,
        )
        return [Batch(*part) for part in parts]


def on_device(numbers: Sequence[int], device: torch.device) -> Int[Tensor, " numbers"]:
    """Numbers that the host knows, on a device: it does not wait until they are there."""
    return _moved(torch.tensor(numbers, dtype=torch.int64), device)


def _moved(tensor: Tensor, device: torch.device | str) -> Tensor:
    """On another device. From the host nobody waits: what is in a batch is never changed."""
    return tensor.to(device, non_blocking=tensor.device.type == "cpu")


def _ends(counts: Sequence[int]) -> Iterable[tuple[int, int]]:
    return zip(accumulate(counts), counts, strict=True)
