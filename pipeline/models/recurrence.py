"""A layer of recurrent units in one direction, unrolled over packed rows with its own gradient.

What comes from the inputs is one product for all positions; only U h is left to the recurrence:
states and gates in float32 at least, products in the type of the inputs. The kind of unit
(`unit.py`) says what a step computes and what its slopes are.
"""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.dropout import Dropout, ExampleKeys
from pipeline.models.linear import Linear
from pipeline.models.packed import Packing
from pipeline.models.unit import Moment, Unit
from pipeline.models.weights import Weighted, asking


class Recurrence(Weighted):
    """One layer of units, in one direction.

    `dropout` is the rate at which h is dropped on its way to the next step, by one mask for all
    steps of a sequence (Gal & Ghahramani 2016).
    """

    def __init__(self, unit: Unit, width_in: int, units: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.unit = unit
        self.units = units
        self.inputs = Linear(width_in, units, parts=unit.gates, starts=unit.starts)
        self.weight = nn.Parameter(torch.empty(unit.gates * units, units))
        self.bias = nn.Parameter(torch.empty(units)) if unit.biased else None
        self.dropout = Dropout(dropout)

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Each gate's recurrent matrix starts orthogonal (Saxe et al. 2014)."""
        generator = draw("weight")
        for gate in self.weight.chunk(self.unit.gates):
            nn.init.orthogonal_(gate, generator=generator)
        if self.bias is not None:
            self.bias.zero_()

    @property
    def state_width(self) -> int:
        """Channels of a state."""
        return self.unit.parts * self.units

    def forward(
        self,
        vectors: Float[Tensor, "positions in"],
        start: Float[Tensor, "sequences state"] | None,
        packing: Packing,
        examples: ExampleKeys | None,
    ) -> Float[Tensor, "positions units"]:
        """h after each position, from `start` on (in the order of the sequences; None: zeros)."""
        gates, order = packing.pack(self.inputs(vectors)), packing.order
        if start is None:
            start = self.weight.new_zeros(len(order), self.state_width)
        mask = self._mask(None if examples is None else examples.keys[order])
        states = self._unrolled(gates, start[order], packing.counts, mask)
        return packing.unpack(self.unit.hidden(states).to(gates.dtype))

    def step(
        self,
        vectors: Float[Tensor, "sequences beams in"],
        state: Float[Tensor, "sequences beams state"],
        keys: Int[Tensor, "sequences beams"] | None = None,
    ) -> Float[Tensor, "sequences beams state"]:
        """The next state; `state` is in the type of the weights, so is the result."""
        gates = self.inputs(vectors)
        if not gates.requires_grad:
            return self._bare(gates, state, keys)
        mask = None if keys is None else self._mask(keys.flatten())
        rows = gates.flatten(0, 1)
        after = self._unrolled(rows, state.flatten(0, 1), (len(rows),), mask)
        return after.unflatten(0, state.shape[:2])

    def _bare(self, gates: Tensor, state: Tensor, keys: Tensor | None) -> Tensor:
        """One step where nobody asks for a gradient."""
        read = _dropped(self.unit.hidden(state).to(gates.dtype), self._mask(keys))
        product = self.products.of(read, self.weight)
        return self.unit.step(gates, product, state, self.bias).state

    def _mask(self, keys: Tensor | None) -> Tensor | None:
        """What h is multiplied by, in the type of the weights."""
        mask = self.dropout.mask(keys, self.units, self.weight.dtype)
        return None if mask is None else mask * self.dropout.scale

    def _unrolled(
        self, gates: Tensor, start: Tensor, counts: tuple[int, ...], mask: Tensor | None
    ) -> Float[Tensor, "positions state"]:
        bias = None if self.bias is None else asking(self.bias)
        result: Tensor = Unrolled.apply(  # pyright: ignore[reportAssignmentType]
            self.unit, gates, asking(self.weight), bias, start, counts, mask
        )
        return result


def _dropped(hidden: Tensor, mask: Tensor | None) -> Tensor:
    return hidden if mask is None else hidden * mask.to(hidden.dtype)


class Unrolled(torch.autograd.Function):
    """The recurrence over packed rows."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        unit: Unit,
        gates: Float[Tensor, "positions gates"],
        weight: Float[Tensor, "gates units"],
        bias: Float[Tensor, " units"] | None,
        start: Float[Tensor, "sequences state"],
        counts: tuple[int, ...],
        mask: Float[Tensor, "sequences units"] | None,
    ) -> Float[Tensor, "positions state"]:
        """States of all rows, in the type of the weights."""
        dtype, matrix = gates.dtype, weight.to(gates.dtype).T
        state = start.to(weight.dtype)
        mask = None if mask is None else mask.to(dtype)
        moments: list[Moment] = []
        before: list[tuple[Tensor, Tensor]] = []  # each step's state, and what U reads of it
        for part, count in zip(gates.to(weight.dtype).split(counts), counts, strict=True):
            state = state[:count]
            read = unit.hidden(state).to(dtype)
            read = read if mask is None else read * mask[:count]
            before.append((state, read))
            moments.append(unit.step(part, read @ matrix, state, bias))
            state = moments[-1].state
        if any(ctx.needs_input_grad):  # pyright: ignore[reportAttributeAccessIssue]
            ctx.save_for_backward(weight, mask)  # pyright: ignore[reportArgumentType]
            ctx.unit, ctx.moments, ctx.before = unit, moments, before  # pyright: ignore[reportAttributeAccessIssue]
            ctx.counts, ctx.types = counts, (dtype, start.dtype)  # pyright: ignore[reportAttributeAccessIssue]
        return torch.cat([moment.state for moment in moments])

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """From the last step to the first; the weight's gradient is one product at the end."""
        weight, mask = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        unit: Unit = ctx.unit  # pyright: ignore[reportAttributeAccessIssue]
        moments: list[Moment] = ctx.moments  # pyright: ignore[reportAttributeAccessIssue]
        before: list[tuple[Tensor, Tensor]] = ctx.before  # pyright: ignore[reportAttributeAccessIssue]
        counts: tuple[int, ...] = ctx.counts  # pyright: ignore[reportAttributeAccessIssue]
        dtype, start_type = ctx.types  # pyright: ignore[reportAttributeAccessIssue]
        matrix = weight.to(dtype)
        slopes = unit.slopes(gradients[0], counts)
        carry = gradients[0].new_zeros(counts[0], gradients[0].shape[1])
        for number in reversed(range(len(counts))):
            rows = carry[: counts[number]].add_(slopes.states[number])
            slopes.back(number, rows, moments[number], before[number][0])
            product = slopes.through_parts[number].to(dtype) @ matrix
            product = product if mask is None else product.mul_(mask[: counts[number]])
            unit.hidden(rows).add_(product.to(weight.dtype))
        read = torch.cat([read for _, read in before])
        by_weight = (slopes.through.to(dtype).T @ read).to(weight.dtype)
        by_gates, by_start = slopes.inputs().to(dtype), carry.to(start_type)
        return None, by_gates, by_weight, slopes.bias(), by_start, None, None
