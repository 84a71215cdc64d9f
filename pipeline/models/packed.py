"""Sequences packed for a recurrence: all first positions, then all second ones, longest first.

Example: lengths (1, 3) are packed as rows [second's 1st, first's 1st, second's 2nd, second's 3rd]
with counts (2, 1, 1). Each step works on the sequences that still run, so that padding never
enters a state and costs nothing.
"""

from functools import cached_property

import torch
from jaxtyping import Int, Shaped
from torch import Tensor
from torch.autograd.function import FunctionCtx

from pipeline.batches.batch import on_device
from pipeline.models.layout import Layout


class Packing:
    """How a layout's positions are packed; `backward` packs each sequence from its end."""

    def __init__(self, layout: Layout, *, backward: bool = False) -> None:
        self.layout = layout
        ordered = sorted(layout.lengths, reverse=True)
        self.counts = _running(ordered, layout.longest)
        offsets = on_device((0, *self.counts), layout.device).cumsum(0)
        step = layout.position
        if backward:
            step = layout.device_lengths[layout.sequence] - 1 - step
        self.place = offsets[step] + self.rank[layout.sequence]
        self.backward = backward

    @cached_property
    def order(self) -> Int[Tensor, " sequences"]:
        """The sequences, longest first."""
        return torch.argsort(self.layout.device_lengths, descending=True, stable=True)

    @cached_property
    def rank(self) -> Int[Tensor, " sequences"]:
        """The place of each sequence among the longest."""
        return inverse(self.order)

    @cached_property
    def flat(self) -> Int[Tensor, " positions"]:
        """The flat position of each packed row."""
        return inverse(self.place)

    @cached_property
    def last(self) -> Int[Tensor, " sequences"]:
        """The flat position where each sequence ends."""
        layout = self.layout
        return layout.starts if self.backward else layout.starts + layout.device_lengths - 1

    def pack(self, flat: Shaped[Tensor, "positions ..."]) -> Shaped[Tensor, "positions ..."]:
        """Flat rows in packed order."""
        return _permuted(flat, self.flat, self.place)

    def unpack(self, packed: Shaped[Tensor, "positions ..."]) -> Shaped[Tensor, "positions ..."]:
        """Packed rows in flat order."""
        return _permuted(packed, self.place, self.flat)


def _running(ordered: list[int], longest: int) -> tuple[int, ...]:
    """How many sequences have a position at each step; `ordered` falls."""
    counts: list[int] = []
    running = len(ordered)
    for step in range(longest):
        while running and ordered[running - 1] <= step:
            running -= 1
        counts.append(running)
    return tuple(counts)


def inverse(permutation: Int[Tensor, " n"]) -> Int[Tensor, " n"]:
    """The permutation that undoes another."""
    result = torch.empty_like(permutation)
    result[permutation] = torch.arange(len(permutation), device=permutation.device)
    return result


def _permuted(rows: Tensor, index: Tensor, undo: Tensor) -> Tensor:
    result: Tensor = _Permute.apply(rows, index, undo)  # pyright: ignore[reportAssignmentType]
    return result


class _Permute(torch.autograd.Function):
    """Rows in another order; the gradient is put back in order, which is cheaper than adding."""

    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor, index: Tensor, undo: Tensor) -> Tensor:
        ctx.save_for_backward(undo)
        return rows.index_select(0, index)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (undo,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return gradients[0].index_select(0, undo), None, None
