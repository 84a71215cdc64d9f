"""The gated recurrent unit (Cho et al. 2014), in the form that torch and cuDNN compute.

r = sigmoid(x_r + U_r h)    z = sigmoid(x_z + U_z h)    n = tanh(x_n + r (U_n h + b))
h' = n + z (h - n)

What comes from the inputs is one product for all positions; only U h is left to the recurrence,
which is written out with its gradient: states and gates in float32 at least, products in the type
of the inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.linear import Linear
from pipeline.models.packed import Packing
from pipeline.models.weights import Weighted, asking


class Recurrence(Weighted):
    """One layer of units, in one direction."""

    def __init__(self, width_in: int, units: int) -> None:
        super().__init__()
        self.units = units
        self.inputs = Linear(width_in, units, parts=3)
        self.weight = nn.Parameter(torch.empty(3 * units, units))
        self.bias = nn.Parameter(torch.empty(units))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Each gate's recurrent matrix starts orthogonal (Saxe et al. 2014)."""
        generator = draw("weight")
        for gate in self.weight.chunk(3):
            nn.init.orthogonal_(gate, generator=generator)
        self.bias.zero_()

    def forward(
        self,
        vectors: Float[Tensor, "positions in"],
        start: Float[Tensor, "sequences units"],
        packing: Packing,
    ) -> Float[Tensor, "positions units"]:
        """The state after each position, from `start` on (in the order of the sequences)."""
        gates = packing.pack(self.inputs(vectors))
        states: Tensor = Unrolled.apply(  # pyright: ignore[reportAssignmentType]
            gates, asking(self.weight), asking(self.bias), start[packing.order], packing.counts
        )
        return packing.unpack(states)

    def step(
        self, vectors: Float[Tensor, "*places in"], state: Float[Tensor, "*places units"]
    ) -> Float[Tensor, "*places units"]:
        """The next state; `state` is in the type of the weights, so is the result."""
        gates = self.inputs(vectors)
        product = state.to(gates.dtype) @ self.weight.to(gates.dtype).T
        return cell(gates, product, state, self.bias).state


@dataclass(frozen=True, slots=True)
class Cell:
    """What one step computes, and its gradient needs."""

    state: Tensor
    reset: Tensor
    update: Tensor
    new: Tensor
    inner: Tensor  # U_n h + b


def cell(gates: Tensor, product: Tensor, state: Tensor, bias: Tensor) -> Cell:
    """One step from the inputs' part and U h. tanh as a sigmoid, which is the faster function."""
    units = state.shape[-1]
    gates, product = gates.to(state.dtype), product.to(state.dtype)  # mixed sums are slow
    both = torch.add(gates[..., : 2 * units], product[..., : 2 * units]).sigmoid_()
    reset, update = both[..., :units], both[..., units:]
    inner = product[..., 2 * units :].add_(bias)
    new = torch.addcmul(gates[..., 2 * units :], reset, inner)
    new = new.mul_(2).sigmoid_().mul_(2).sub_(1)
    return Cell(torch.lerp(new, state, update), reset, update, new, inner)


class Unrolled(torch.autograd.Function):
    """The recurrence over packed rows."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        gates: Float[Tensor, "positions gates"],
        weight: Float[Tensor, "gates units"],
        bias: Float[Tensor, " units"],
        start: Float[Tensor, "sequences units"],
        counts: tuple[int, ...],
    ) -> Float[Tensor, "positions units"]:
        """States of all rows, in the type of `gates`."""
        matrix = weight.to(gates.dtype).T
        state, dtype = start.to(weight.dtype), gates.dtype
        steps: list[Cell] = []
        previous: list[Tensor] = []
        for part, count in zip(gates.to(weight.dtype).split(counts), counts, strict=True):
            state = state[:count]
            previous.append(state)
            steps.append(cell(part, state.to(dtype) @ matrix, state, bias))
            state = steps[-1].state
        if any(ctx.needs_input_grad):  # pyright: ignore[reportAttributeAccessIssue]
            ctx.save_for_backward(weight)
            ctx.steps, ctx.previous = steps, previous  # pyright: ignore[reportAttributeAccessIssue]
            ctx.counts, ctx.start_type = counts, start.dtype  # pyright: ignore[reportAttributeAccessIssue]
        return torch.cat([step.state for step in steps]).to(dtype)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """From the last step to the first; the weight's gradient is one product at the end."""
        (weight,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        steps: list[Cell] = ctx.steps  # pyright: ignore[reportAttributeAccessIssue]
        previous: list[Tensor] = ctx.previous  # pyright: ignore[reportAttributeAccessIssue]
        counts: tuple[int, ...] = ctx.counts  # pyright: ignore[reportAttributeAccessIssue]
        dtype, units = gradients[0].dtype, weight.shape[1]
        matrix = weight.to(dtype)
        slopes = Slopes(gradients[0].to(weight.dtype), counts)
        carry = slopes.new.new_zeros(counts[0], units)
        for number in reversed(range(len(counts))):
            step, count = steps[number], counts[number]
            total = carry[:count].add_(slopes.states[number])
            slopes.of(number, total, step, previous[number])
            torch.mul(total, step.update, out=carry[:count])
            product = slopes.through_parts[number].to(dtype) @ matrix
            carry[:count] += product.to(weight.dtype)
        weight_slope = slopes.through.to(dtype).T @ torch.cat(previous).to(dtype)
        start = carry.to(ctx.start_type)  # pyright: ignore[reportAttributeAccessIssue]
        bias_slope = slopes.through[:, 2 * units :].sum(0)
        return slopes.inputs().to(dtype), weight_slope.to(weight.dtype), bias_slope, start, None


class Slopes:
    """The loss's slopes in states, in what enters the gates, and in U h, for all rows."""

    def __init__(self, states: Float[Tensor, "positions units"], counts: tuple[int, ...]) -> None:
        positions, units = states.shape
        self.units = units
        self.states = states.split(counts)
        self.new = states.new_empty(positions, units)
        self.through = states.new_empty(positions, 3 * units)
        self.new_parts = self.new.split(counts)
        self.through_parts = self.through.split(counts)

    def of(self, number: int, total: Tensor, step: Cell, before: Tensor) -> None:
        """Fill in one step, from the whole slope `total` in its state."""
        reset, update, new = step.reset, step.update, step.new
        inward = total - total * update  # slope in n
        fresh = torch.mul(inward, 1 - new * new, out=self.new_parts[number])
        through, units = self.through_parts[number], self.units
        torch.mul(fresh, reset, out=through[:, 2 * units :])
        torch.mul(fresh * step.inner, reset - reset * reset, out=through[:, :units])
        torch.mul(inward * (before - new), update, out=through[:, units : 2 * units])

    def inputs(self) -> Float[Tensor, "positions gates"]:
        """The slopes in the inputs' part of r, z and n."""
        return torch.cat([self.through[:, : 2 * self.units], self.new], dim=1)
