"""Where flat positions lie: the geometry of sequences of different lengths.

Vectors are kept for real positions only, `[positions, D]`, sequence after sequence. Attention works
on a padded view `[sequences, longest, D]`, which `pad` makes and `unpad` undoes. Example: lengths
(3, 1) have sequence [0, 0, 0, 1], position [0, 1, 2, 0], mask [[1, 1, 1], [1, 0, 0]].
"""

from functools import cached_property
from itertools import accumulate

import torch
from jaxtyping import Bool, Int, Shaped
from torch import Tensor
from torch.autograd.function import FunctionCtx

from pipeline.batches.batch import on_device


class Layout:
    """Lengths on the host, and the indices that follow from them on a device.

    The padded view is as wide as the longest, rounded up to a `multiple`.
    """

    def __init__(self, lengths: tuple[int, ...], device: torch.device, multiple: int = 1) -> None:
        self.lengths = lengths
        self.device = device
        self.count = len(lengths)
        self.longest = -(-max(lengths, default=0) // multiple) * multiple
        self.positions = sum(lengths)
        self._heads: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}
        self.full = self.positions == self.count * self.longest

    @cached_property
    def device_lengths(self) -> Int[Tensor, " sequences"]:
        """The lengths as a tensor."""
        return on_device(self.lengths, self.device)

    @cached_property
    def starts(self) -> Int[Tensor, " sequences"]:
        """The first flat position of each sequence."""
        return self.device_lengths.cumsum(0) - self.device_lengths

    @cached_property
    def edges(self) -> Int[Tensor, " sequences_and_one"]:
        """Where each sequence begins, and the last one ends (int32)."""
        return on_device((0, *accumulate(self.lengths)), self.device).to(torch.int32)

    @cached_property
    def sequence(self) -> Int[Tensor, " positions"]:
        """The sequence that each flat position belongs to."""
        numbers = torch.arange(self.count, device=self.device)
        return torch.repeat_interleave(numbers, self.device_lengths, output_size=self.positions)

    @cached_property
    def position(self) -> Int[Tensor, " positions"]:
        """The place of each flat position in its sequence, from 0."""
        return torch.arange(self.positions, device=self.device) - self.starts[self.sequence]

    @cached_property
    def place(self) -> Int[Tensor, " positions"]:
        """The place of each flat position in the padded view, laid flat."""
        return self.sequence * self.longest + self.position

    @cached_property
    def mask(self) -> Bool[Tensor, "sequences longest"]:
        """True where the padded view holds a real position."""
        steps = torch.arange(self.longest, device=self.device)
        return steps[None, :] < self.device_lengths[:, None]

    def pad(self, flat: Shaped[Tensor, "positions ..."]) -> Shaped[Tensor, "sequences longest ..."]:
        """The padded view; zeros where nothing is real."""
        if self.full:
            return flat.reshape(self.count, self.longest, *flat.shape[1:])
        empty = flat.new_zeros(self.count * self.longest, *flat.shape[1:])
        padded = empty.index_copy(0, self.place, flat)
        return padded.view(self.count, self.longest, *flat.shape[1:])

    def unpad(
        self, padded: Shaped[Tensor, "sequences longest ..."]
    ) -> Shaped[Tensor, "positions ..."]:
        """The real positions of a padded view."""
        flat = padded.reshape(self.count * self.longest, *padded.shape[2:])
        if self.full:
            return flat
        result: Tensor = _Gather.apply(flat, self.place)  # pyright: ignore[reportAssignmentType]
        return result

    def split_heads(
        self, flat: Shaped[Tensor, "positions heads_width"], *heads: int
    ) -> tuple[Shaped[Tensor, "sequences heads longest width"], ...]:
        """Rows of heads, a tensor for each number of `heads` that lie side by side in `flat`.

        They are padded with copies of real rows: who attends to these must mask them.
        """
        there, back = self._head_places(heads)
        rows = flat.view(self.positions * sum(heads), -1)
        counts = [self.count * number * self.longest for number in heads]
        parts: tuple[Tensor, ...] = _Spread.apply(rows, there, back, counts)  # pyright: ignore[reportAssignmentType]
        return tuple(
            part.view(self.count, number, self.longest, -1)
            for part, number in zip(parts, heads, strict=True)
        )

    def join_heads(
        self, padded: Shaped[Tensor, "sequences heads longest width"]
    ) -> Shaped[Tensor, "positions heads_width"]:
        """The real positions of one tensor that `split_heads` gave."""
        _, back = self._head_places((padded.shape[1],))
        rows = padded.view(-1, padded.shape[-1])
        result: Tensor = _Gather.apply(rows, back)  # pyright: ignore[reportAssignmentType]
        return result.view(self.positions, -1)

    def _head_places(self, heads: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        """For each padded row of a head its flat one, and for each flat one its padded one."""
        if heads not in self._heads:
            self._heads[heads] = self._make_head_places(heads)
        return self._heads[heads]

    def _make_head_places(self, heads: tuple[int, ...]) -> tuple[Tensor, Tensor]:
        step = torch.arange(self.longest, device=self.device)
        last = self.device_lengths[:, None] - 1
        real = (self.starts[:, None] + torch.minimum(step, last))[:, None] * sum(heads)  # [N, 1, T]
        sequence, position = self.sequence[:, None], self.position[:, None]
        there: list[Tensor] = []
        back: list[Tensor] = []
        before = 0
        for number in heads:
            head = torch.arange(number, device=self.device)
            there.append((real + before + head[:, None]).flatten())  # [N, heads, T]
            row = before * self.count + sequence * number + head
            back.append(row * self.longest + position)  # [P, heads]
            before += number
        return torch.cat(there), torch.cat(back, 1).flatten()


class _Spread(torch.autograd.Function):
    """Rows at places, some several times as padding, in parts; padding's gradient is left out."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, flat: Tensor, there: Tensor, back: Tensor, counts: list[int]
    ) -> tuple[Tensor, ...]:
        ctx.save_for_backward(back)
        return flat.index_select(0, there).split(counts)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (back,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return joined(gradients).index_select(0, back), None, None, None


def in_a_row(*likes: Tensor) -> tuple[Tensor, ...]:
    """Empty tensors like these, one after the other in memory: `joined` need not copy them."""
    counts = [like.numel() for like in likes]
    parts = likes[0].new_empty(sum(counts)).split(counts)
    return tuple(part.view(like.shape) for part, like in zip(parts, likes, strict=True))


def joined(
    parts: tuple[Shaped[Tensor, "rows width"], ...],
) -> Shaped[Tensor, "all_rows width"]:
    """All rows; a view, where the parts lie one after the other in memory."""
    first, place = parts[0], parts[0].storage_offset()
    for part in parts:
        beside = part.untyped_storage().data_ptr() == first.untyped_storage().data_ptr()
        if not (beside and part.storage_offset() == place and part.is_contiguous()):
            return torch.cat(parts)
        place += part.numel()
    rows = sum(len(part) for part in parts)
    return first.as_strided((rows, first.shape[1]), first.stride())


class _Gather(torch.autograd.Function):
    """Rows at distinct places; the gradient is copied back, which is cheaper than adding."""

    @staticmethod
    def forward(ctx: FunctionCtx, flat: Tensor, place: Tensor) -> Tensor:
        ctx.save_for_backward(place)
        ctx.rows = flat.shape[0]  # pyright: ignore[reportAttributeAccessIssue]
        return flat.index_select(0, place)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        (place,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        rows: int = ctx.rows  # pyright: ignore[reportAttributeAccessIssue]
        empty = gradient.new_zeros(rows, *gradient.shape[1:])
        return empty.index_copy_(0, place, gradient), None
