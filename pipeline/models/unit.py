"""A kind of recurrent unit (`rnn.py`, `gru.py`, `lstm.py`): one step, and the slopes of many.

A step has two parts: what comes from the inputs, W x + b of each gate, and what comes from the
state before, U h. `recurrence.py` makes both products and walks along the rows.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, Protocol

from jaxtyping import Float
from torch import Tensor


class Moment(Protocol):
    """What one step computes: the state, and whatever its gradient needs."""

    @property
    def state(self) -> Tensor:
        """The state after the step, in the type of the weights."""
        ...


class Slopes(ABC):
    """The loss's slopes in states, in what enters the gates, and in U h, for all rows."""

    def __init__(
        self, states: Float[Tensor, "positions state"], counts: tuple[int, ...], gates: int
    ) -> None:
        self.states = states.split(counts)
        self.through = states.new_empty(len(states), gates)
        self.through_parts = self.through.split(counts)

    @abstractmethod
    def back(self, number: int, carry: Tensor, moment: Moment, before: Tensor) -> None:
        """Fill in one step. `carry` comes as the slope in its state, and goes as that in the state
        before, without what goes through U h."""

    @abstractmethod
    def inputs(self) -> Float[Tensor, "positions gates"]:
        """The slopes in what enters the gates."""

    @abstractmethod
    def bias(self) -> Float[Tensor, " units"] | None:
        """The slope in the bias of U h, where there is one."""


class Unit(ABC):
    """A kind of recurrent unit."""

    gates: ClassVar[int]  # matrices stacked in U
    parts: ClassVar[int]  # vectors side by side in a state, of which the first, h, is the output
    starts: ClassVar[tuple[float, ...]]  # what each gate's bias starts at
    biased: ClassVar[bool]  # a bias is added to the last gate's U h

    @abstractmethod
    def step(
        self,
        gates: Float[Tensor, "*places gates"],
        product: Float[Tensor, "*places gates"],
        state: Float[Tensor, "*places state"],
        bias: Float[Tensor, " units"] | None,
    ) -> Moment:
        """One step from the inputs' part and U h, which may be overwritten."""

    @abstractmethod
    def slopes(self, states: Float[Tensor, "positions state"], counts: tuple[int, ...]) -> Slopes:
        """The slopes of all rows, from those in their states."""

    def hidden(self, states: Float[Tensor, "*places state"]) -> Float[Tensor, "*places units"]:
        """The part of states that is read by others and by the next step's product."""
        if self.parts == 1:
            return states  # slicing would be copied on the way back
        return states[..., : states.shape[-1] // self.parts]
