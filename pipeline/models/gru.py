"""The gated recurrent unit (Cho et al. 2014), in the form that torch and cuDNN compute.

r = sigmoid(x_r + U_r h)    z = sigmoid(x_z + U_z h)    n = tanh(x_n + r (U_n h + b))
h' = n + z (h - n)
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.models.unit import Moment, Slopes, Unit


class GRU(Unit):
    """Reset and update gates; the state is h."""

    gates: ClassVar[int] = 3
    parts: ClassVar[int] = 1
    starts: ClassVar[tuple[float, ...]] = (0.0, 0.0, 0.0)
    biased: ClassVar[bool] = True

    def step(
        self, gates: Tensor, product: Tensor, state: Tensor, bias: Tensor | None
    ) -> "GRUMoment":
        """tanh as a sigmoid, which is the faster function."""
        assert bias is not None
        units = state.shape[-1]
        gates, product = gates.to(state.dtype), product.to(state.dtype)  # mixed sums are slow
        both = torch.add(gates[..., : 2 * units], product[..., : 2 * units]).sigmoid_()
        reset, update = both[..., :units], both[..., units:]
        inner = product[..., 2 * units :].add_(bias)
        new = torch.addcmul(gates[..., 2 * units :], reset, inner)
        new = new.mul_(2).sigmoid_().mul_(2).sub_(1)
        return GRUMoment(torch.lerp(new, state, update), reset, update, new, inner)

    def slopes(self, states: Tensor, counts: tuple[int, ...]) -> Slopes:
        """The slopes of all rows."""
        return GRUSlopes(states, counts)


@dataclass(frozen=True, slots=True)
class GRUMoment:
    """What one step computes, and its gradient needs."""

    state: Tensor
    reset: Tensor
    update: Tensor
    new: Tensor
    inner: Tensor  # U_n h + b


class GRUSlopes(Slopes):
    """Those in n are kept beside those in U_n h, which are the reset part of them."""

    def __init__(self, states: Float[Tensor, "positions units"], counts: tuple[int, ...]) -> None:
        super().__init__(states, counts, 3 * states.shape[1])
        self.units = states.shape[1]
        self.new = torch.empty_like(states)
        self.new_parts = self.new.split(counts)

    def back(self, number: int, carry: Tensor, moment: Moment, before: Tensor) -> None:
        """One step."""
        assert isinstance(moment, GRUMoment)
        reset, update, new = moment.reset, moment.update, moment.new
        inward = carry - carry * update  # slope in n
        fresh = torch.mul(inward, 1 - new * new, out=self.new_parts[number])
        through, units = self.through_parts[number], self.units
        torch.mul(fresh, reset, out=through[:, 2 * units :])
        torch.mul(fresh * moment.inner, reset - reset * reset, out=through[:, :units])
        torch.mul(inward * (before - new), update, out=through[:, units : 2 * units])
        carry.mul_(update)

    def inputs(self) -> Float[Tensor, "positions gates"]:
        """The slopes in the inputs' part of r, z and n."""
        return torch.cat([self.through[:, : 2 * self.units], self.new], dim=1)

    def bias(self) -> Float[Tensor, " units"]:
        """It stands beside U_n h."""
        return self.through[:, 2 * self.units :].sum(0)
