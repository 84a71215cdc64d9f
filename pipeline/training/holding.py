"""Holding: how a team holds what it trains: all of it on each worker, or a part on each.

Steps, validation, checkpoints and resuming ask here for what is whole, and give back what is; so a
checkpoint is the same files either way, and a run may go on the other way.
"""

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Protocol

from torch import Tensor
from torch.nn import Parameter

from pipeline.models.lesson import Lesson
from pipeline.models.seq2seq import Model
from pipeline.training.gradient import Gradient
from pipeline.training.moving_average import MovingAverage
from pipeline.training.team import Team
from pipeline.training.weights import Learner, set_weights, weights_of

Tensors = Mapping[str, Tensor]


class GroupGradient(Protocol):
    """The group's gradient, and numbers that are summed with it (`gradient.py`)."""

    @property
    def extras(self) -> Tensor:
        """These numbers."""
        ...

    def clear(self) -> None:
        """Zeros."""
        ...

    def leaving(self, team: Team) -> AbstractContextManager[None]:
        """Around a share's last slot."""
        ...

    def reduce(self, team: Team) -> Sequence[float]:
        """Sum over the workers; the extras and the norm of the rest as numbers."""
        ...

    def clip(self, norm: float, limit: float | None) -> None:
        """Scale to norm `limit` where it is longer."""
        ...


class Holding(ABC):
    """What steps are taken on, and what of it is this worker's."""

    learner: Learner  # steps ask it for losses
    parameters: Mapping[str, Parameter]  # this worker's, which the optimiser changes
    alone: bool  # whether a worker can copy the whole, or cut a slot in two, without the others

    @abstractmethod
    def gradient(self, extras: int) -> GroupGradient:
        """That of the parameters, beside so many extras."""

    @abstractmethod
    def idle(self, own: int, most: int) -> int:
        """How many empty slots a worker adds, which has `own` where another has `most`."""

    @abstractmethod
    def agreed(self, wish: bool, team: Team) -> bool:
        """Whether all do what worker 0 wishes."""

    @abstractmethod
    def whole(self, tensors: Tensors) -> dict[str, Tensor]:
        """What this worker has of tensors by parameters' names, and all others have, put together.

        A name may have something before it, up to a slash; what is no parameter's stays.
        """

    @abstractmethod
    def parts(self, tensors: Tensors) -> dict[str, Tensor]:
        """What this worker has of whole tensors."""

    @abstractmethod
    def set_weights(self, weights: Tensors, *, where: str = "", remedy: str = "") -> None:
        """Take whole weights over; a Problem where they do not fit the model."""

    @abstractmethod
    def shown(self, average: MovingAverage | None) -> AbstractContextManager[Tensors]:
        """Meanwhile the model that is validated and kept has the whole weights, or their average
        where there is one: these."""


class Copies(Holding):
    """Each worker has all of it."""

    def __init__(self, learner: Learner) -> None:
        self.learner, self.alone = learner, True
        self.parameters = dict(learner.named_parameters())

    def gradient(self, extras: int) -> GroupGradient:
        """One vector, in the order in which a backward comes to the parameters."""
        return Gradient(reversed([*self.parameters.values()]), extras)

    def idle(self, own: int, most: int) -> int:
        """None."""
        return 0

    def agreed(self, wish: bool, team: Team) -> bool:
        """Whoever wishes does it alone."""
        return wish

    def whole(self, tensors: Tensors) -> dict[str, Tensor]:
        """As they are."""
        return dict(tensors)

    def parts(self, tensors: Tensors) -> dict[str, Tensor]:
        """All of them."""
        return dict(tensors)

    def set_weights(self, weights: Tensors, *, where: str = "", remedy: str = "") -> None:
        """Copy them into the model."""
        set_weights(self.learner, weights, where=where, remedy=remedy)

    @contextmanager
    def shown(self, average: MovingAverage | None) -> Generator[Tensors]:
        """The learner's model is the one."""
        with average.shown() if average else nullcontext():
            yield weights_of(self.learner)


def held(model: Model, lesson: Lesson, team: Team, *, shared: bool) -> Holding:
    """How the team holds what `lesson` makes of `model`; of one worker alone, nothing is shared."""
    if not shared or team.count == 1:
        return Copies(lesson)
    from pipeline.training.sharding import Shards  # which loads torch's compiler

    return Shards(model, lesson, team)
