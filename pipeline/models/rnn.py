"""The plain recurrent unit (Elman 1990): h' = tanh(x + U h)."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.models.unit import Moment, Slopes, Unit


class RNN(Unit):
    """No gates; the state is h."""

    gates: ClassVar[int] = 1
    parts: ClassVar[int] = 1
    starts: ClassVar[tuple[float, ...]] = (0.0,)
    biased: ClassVar[bool] = False

    def step(
        self, gates: Tensor, product: Tensor, state: Tensor, bias: Tensor | None
    ) -> "RNNMoment":
        """tanh as a sigmoid, which is the faster function."""
        total = torch.add(gates.to(state.dtype), product.to(state.dtype))
        return RNNMoment(total.mul_(2).sigmoid_().mul_(2).sub_(1))

    def slopes(self, states: Tensor, counts: tuple[int, ...]) -> Slopes:
        """The slopes of all rows."""
        return RNNSlopes(states, counts, states.shape[1])


@dataclass(frozen=True, slots=True)
class RNNMoment:
    """What one step computes."""

    state: Tensor


class RNNSlopes(Slopes):
    """The slope in x is that in U h."""

    def back(self, number: int, carry: Tensor, moment: Moment, before: Tensor) -> None:
        """One step; tanh' = 1 - tanh²."""
        state = moment.state
        torch.mul(carry, 1 - state * state, out=self.through_parts[number])
        carry.zero_()

    def inputs(self) -> Float[Tensor, "positions gates"]:
        """The slopes in x."""
        return self.through

    def bias(self) -> None:
        """The inputs' bias is the only one."""
