"""The clerk: everything that a run writes, done by one worker. The others have a silent one.

Whatever it writes in `state/RUNKEY/`, it writes under the lease, which shows others that it lives.
Clocks may decide when it writes, never what is trained.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path

from pipeline.training.checkpoint import (
    Checkpoint,
    Tensors,
    load_weights,
    newest,
    prune,
    save,
    save_weights,
)
from pipeline.training.folders import remove, sweep
from pipeline.training.lease import Lease
from pipeline.training.progress import Kind, ProgressFile
from pipeline.training.state import TrainingState
from pipeline.training.step import Step

SECONDS_PER_RECORD = 1.0


class Clerk(ABC):
    """What a run tells and keeps."""

    @abstractmethod
    def resume(self) -> str:
        """The name of the newest checkpoint that verifies, or ""."""

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
    def late(self) -> bool:
        """Is it time for an unplanned checkpoint?"""

    @abstractmethod
    def save(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and remove what is no longer needed."""

    @abstractmethod
    def keep(self, write: Callable[[], object]) -> None:
        """Have the result written."""


class Silent(Clerk):
    """The clerk of the workers that write nothing."""

    def resume(self) -> str:
        """Nothing of its own: rank 0 tells."""
        return ""

    def step(self, step: Step, state: TrainingState) -> None:
        """Nothing."""

    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """Nothing."""

    def event(self, step: int, note: str) -> None:
        """Nothing."""

    def late(self) -> bool:
        """Never."""
        return False

    def save(self, checkpoint: Checkpoint) -> None:
        """Nothing."""

    def keep(self, write: Callable[[], object]) -> None:
        """Nothing."""


class Writer(Clerk):
    """The clerk that writes, in the folder of the lease."""

    def __init__(self, lease: Lease, checkpoint_seconds: float) -> None:
        self.lease = lease
        self.folder = lease.folder
        self.checkpoints = lease.folder / "checkpoints"
        self.progress = ProgressFile(lease.folder)
        self.checkpoint_seconds = checkpoint_seconds
        self._begin_step()
        self._saved = self._told = self._stepped
        self._untold: tuple[int, Mapping[str, float]] | None = None

    def resume(self) -> str:
        """Sweep up after a kill, then verify from the newest on; tell of what does not."""
        notes: list[str] = []
        with self.lease.held():
            for folder in (self.folder, self.checkpoints, self.folder / "best"):
                sweep(folder)
            path = newest(self.checkpoints, self._verify, notes.append)
        self._tell_all(0, notes)
        return "" if path is None else path.name

    def _verify(self, checkpoint: Checkpoint) -> None:
        """The weights that a checkpoint calls best are there, too."""
        for step in checkpoint.state.best:
            load_weights(self.best(step))

    def step(self, step: Step, state: TrainingState) -> None:
        """A record of the first, then about once a second, and of every step that was not taken."""
        now, processed = time.monotonic(), time.process_time()
        spent = {"seconds": now - self._stepped, "processor_seconds": processed - self._processed}
        self._stepped, self._processed = now, processed
        self._untold = step.number, {**_values(step, state), **spent}
        if not step.taken:
            self.event(step.number, f"step {step.number} not taken: its gradient is not finite")
        if not step.taken or step.number == 1 or now - self._told >= SECONDS_PER_RECORD:
            self._tell_step()

    def _tell_step(self) -> None:
        """A record of the last step, where it has none yet."""
        if self._untold is not None:
            number, values = self._untold
            self._untold, self._told = None, self._stepped
            self._tell(number, "train", values)

    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """A record; the weights, where they are among the best."""
        self._tell(state.step, "valid", {**scores, **state.curve[-1].gradients})
        if state.step in state.best:
            with self.lease.held():
                save_weights(self.best(state.step), weights)
        self._begin_step()

    def event(self, step: int, note: str) -> None:
        """A record of an event."""
        self._tell(step, "event", note=note)

    def _tell_all(self, step: int, notes: list[str]) -> None:
        for note in notes:
            self.event(step, note)

    def _tell(
        self, step: int, kind: Kind, values: Mapping[str, float] | None = None, note: str = ""
    ) -> None:
        with self.lease.held():
            self.progress.append(step, kind, values, note)

    def late(self) -> bool:
        """Have `checkpoint_seconds` passed since the last one?"""
        return time.monotonic() - self._saved >= self.checkpoint_seconds

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it, with a record of its step; then remove older ones, and weights of no use."""
        self._tell_step()
        notes: list[str] = []
        with self.lease.held():
            save(self.checkpoints, checkpoint)
            states = prune(self.checkpoints, notes.append)
            wanted = {self.best(step) for state in states for step in state.best}
            for path in set((self.folder / "best").glob("[0-9]*")) - wanted:
                remove(path)
        self._tell_all(checkpoint.state.step, notes)
        self._begin_step()
        self._saved = self._stepped

    def _begin_step(self) -> None:
        """What was done until now belongs to no step."""
        self._stepped, self._processed = time.monotonic(), time.process_time()

    def keep(self, write: Callable[[], object]) -> None:
        """Under the lease, as everything."""
        with self.lease.held():
            write()

    def best(self, step: int) -> Path:
        """Where the weights after `step` are kept."""
        return self.folder / "best" / f"{step:08d}"


def _values(step: Step, state: TrainingState) -> dict[str, float]:
    return {
        "loss": step.loss,
        "rate": step.rate,
        "gradient_norm": step.gradient_norm,
        "tokens": step.tokens,
        "tokens_so_far": state.tokens,
        "epoch": state.position.epoch,
        "skipped": state.skipped,
        **{f"count_{term}": count for term, count in step.counts.items()},
        **{f"loss_{term}": loss for term, loss in step.losses.items()},
    }
