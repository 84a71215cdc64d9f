"""The clerk: everything that a run writes, done by one worker. The others have a silent one."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence

from pipeline.training.checkpoint import Checkpoint, Tensors
from pipeline.training.state import TrainingState
from pipeline.training.step import Step


class Clerk(ABC):
    """What a run tells and keeps."""

    @abstractmethod
    def resume(self) -> str:
        """The name of the newest checkpoint that verifies, or ""."""

    @abstractmethod
    def planned(self) -> str:
        """The name of the newest planned checkpoint that verifies, or ""."""

    @abstractmethod
    def load(self, name: str) -> Checkpoint | None:
        """The checkpoint of this name."""

    @abstractmethod
    def average(self, groups: Sequence[int]) -> Tensors:
        """The mean of the weights that were kept after so many groups."""

    @abstractmethod
    def step(self, step: Step, state: TrainingState) -> None:
        """Tell of a step."""

    @abstractmethod
    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """Tell of a validation; keep the weights where they are among the best."""

    @abstractmethod
    def event(self, step: int, note: str) -> None:
        """Tell of something that happened once."""

    @abstractmethod
    def look(self) -> None:
        """Look, from another thread, whether something takes too long."""

    @abstractmethod
    def late(self) -> bool:
        """Is it time for an unplanned checkpoint?"""

    @abstractmethod
    def save(self, checkpoint: Checkpoint) -> None:
        """Have a checkpoint written (its tensors are copied), and what is of no use removed."""

    @abstractmethod
    def wait(self) -> None:
        """Wait until all that is to be written is."""

    @abstractmethod
    def keep(self, write: Callable[[], object]) -> None:
        """Have the result written."""


class Silent(Clerk):
    """The clerk of the workers that write nothing."""

    def resume(self) -> str:
        """Nothing of its own: rank 0 tells."""
        return ""

    def planned(self) -> str:
        """Nothing of its own: rank 0 tells."""
        return ""

    def load(self, name: str) -> Checkpoint | None:
        """Nothing of its own: rank 0 shares it."""

    def average(self, groups: Sequence[int]) -> Tensors:
        """Nothing of its own: rank 0 shares it."""
        return {}

    def step(self, step: Step, state: TrainingState) -> None:
        """Nothing."""

    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """Nothing."""

    def event(self, step: int, note: str) -> None:
        """Nothing."""

    def look(self) -> None:
        """Nothing."""

    def late(self) -> bool:
        """Never."""
        return False

    def save(self, checkpoint: Checkpoint) -> None:
        """Nothing."""

    def wait(self) -> None:
        """For nothing."""

    def keep(self, write: Callable[[], object]) -> None:
        """Nothing."""
