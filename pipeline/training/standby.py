"""Standby: the last whole state of a run, for a checkpoint that cannot wait for a step to end.

A step may wait for data, or for a compiler, longer than whoever wishes it to stop. Until it changes
weights, these are those of the state before; a thread may then write that down. The run says when
weights begin to change and when they belong to a state again; what was copied meanwhile is no
checkpoint. Nothing here keeps a step waiting.
"""

from collections.abc import Callable, Mapping

from torch import Tensor

from pipeline.training.checkpoint import Checkpoint, copied
from pipeline.training.state import TrainingState

Tensors = Mapping[str, Tensor]


class Standby:
    """`weights` and `optimizer` give the present ones; not `alone`: with the help of the others,
    who work meanwhile, so that there is no such checkpoint."""

    def __init__(
        self,
        weights: Callable[[], Tensors],
        optimizer: Callable[[], Tensors],
        *,
        alone: bool = True,
    ) -> None:
        self._weights, self._optimizer, self._alone = weights, optimizer, alone
        self._state: TrainingState | None = None  # None: weights and state do not belong together
        self._turn = 0

    def changing(self) -> None:
        """From here on weights are on their way to another state."""
        self._state = None
        self._turn += 1

    def reached(self, state: TrainingState) -> None:
        """The weights are those of `state`."""
        self._state = state if self._alone else None

    def checkpoint(self, saved_groups: int) -> Checkpoint | None:
        """An unplanned checkpoint of the last state, of its own memory; None where that changes, or
        is no later than what is saved: a planned one must never become unplanned.
        """
        turn, state = self._turn, self._state
        if state is None or state.groups <= saved_groups:
            return None
        weights, optimizer = copied(self._weights()), copied(self._optimizer())
        return Checkpoint(weights, optimizer, state, False) if turn == self._turn else None
