"""Long short-term memory (Hochreiter & Schmidhuber 1997; with forget gates, Gers et al. 2000).

i, f, o = sigmoid(x + U h) of each    g = tanh(x_g + U_g h)
c' = f c + i g    h' = o tanh(c')

The forget gate's bias starts at 1 (Jozefowicz et al. 2015), so that at first much is remembered.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.models.unit import Moment, Slopes, Unit


class LSTM(Unit):
    """Gates lie as in torch (i, f, g, o); the state is h and c side by side."""

    gates: ClassVar[int] = 4
    parts: ClassVar[int] = 2
    starts: ClassVar[tuple[float, ...]] = (0.0, 1.0, 0.0, 0.0)
    biased: ClassVar[bool] = False

    def step(
        self, gates: Tensor, product: Tensor, state: Tensor, bias: Tensor | None
    ) -> "LSTMMoment":
        """tanh as a sigmoid, which is the faster function, and one for all gates."""
        units = state.shape[-1] // 2
        total = torch.add(gates.to(state.dtype), product.to(state.dtype))
        total[..., 2 * units : 3 * units].mul_(2)
        enter, forget, new, leave = total.sigmoid_().split(units, dim=-1)
        new.mul_(2).sub_(1)
        after = torch.empty_like(state)
        hidden, cell = after.split(units, dim=-1)
        cell.copy_(torch.addcmul(forget * state[..., units:], enter, new))
        squashed = torch.mul(cell, 2).sigmoid_().mul_(2).sub_(1)
        hidden.copy_(leave * squashed)
        return LSTMMoment(after, enter, forget, new, leave, squashed)

    def slopes(self, states: Tensor, counts: tuple[int, ...]) -> Slopes:
        """The slopes of all rows."""
        return LSTMSlopes(states, counts, 2 * states.shape[1])


@dataclass(frozen=True, slots=True)
class LSTMMoment:
    """What one step computes, and its gradient needs."""

    state: Tensor
    enter: Tensor
    forget: Tensor
    new: Tensor
    leave: Tensor
    squashed: Tensor  # tanh(c')


class LSTMSlopes(Slopes):
    """The slopes in x are those in U h."""

    def back(self, number: int, carry: Tensor, moment: Moment, before: Tensor) -> None:
        """One step; h' depends on c', whose slope goes on to c by the forget gate."""
        assert isinstance(moment, LSTMMoment)
        enter, forget, new, leave = moment.enter, moment.forget, moment.new, moment.leave
        hidden, cell = carry.chunk(2, dim=1)
        through = self.through_parts[number].chunk(4, dim=1)
        cell.add_(hidden * leave * (1 - moment.squashed * moment.squashed))
        torch.mul(cell * new, enter - enter * enter, out=through[0])
        torch.mul(cell * before[:, cell.shape[1] :], forget - forget * forget, out=through[1])
        torch.mul(cell * enter, 1 - new * new, out=through[2])
        torch.mul(hidden * moment.squashed, leave - leave * leave, out=through[3])
        cell.mul_(forget)
        hidden.zero_()

    def inputs(self) -> Float[Tensor, "positions gates"]:
        """The slopes in x."""
        return self.through

    def bias(self) -> None:
        """The inputs' bias is the only one."""
