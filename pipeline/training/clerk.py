"""The clerk: everything that a run writes, done by one worker. The others have a silent one.

What it writes in `state/RUNKEY/` is fenced by the lease; clocks may decide when it writes, never
what is trained.
"""

import shutil
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path

from pipeline.problems import Problem
from pipeline.training.checkpoint import (
    Checkpoint,
    Tensors,
    every,
    load_weights,
    newest,
    prune,
    read_state,
    save,
    save_weights,
)
from pipeline.training.lease import Lease
from pipeline.training.progress import ProgressFile
from pipeline.training.state import TrainingState
from pipeline.training.step import Step

SECONDS_PER_RECORD = 1.0


class Clerk(ABC):
    """What a run tells and keeps."""

    @abstractmethod
    def resume(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
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


class Silent(Clerk):
    """The clerk of the workers that write nothing."""

    def resume(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
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


class Writer(Clerk):
    """The clerk that writes, in the folder of the lease."""

    def __init__(self, lease: Lease, checkpoint_seconds: float) -> None:
        self.lease = lease
        self.folder = lease.folder
        self.progress = ProgressFile(lease.folder)
        self.checkpoint_seconds = checkpoint_seconds
        self._saved = self._told = self._stepped = time.monotonic()

    def resume(self, shapes: Mapping[str, tuple[int, ...]]) -> str:
        """Verify from the newest on; what does not verify is told, and removed."""

        def verify(checkpoint: Checkpoint) -> None:
            found = {name: tuple(tensor.shape) for name, tensor in checkpoint.weights.items()}
            if found != dict(shapes):
                odd = sorted(set(found.items()) ^ set(shapes.items()))[0]
                raise Problem("weights of another model", where=str(self.folder), value=odd)
            for step in checkpoint.state.best:
                load_weights(self.best(step))

        with self.lease.held():
            folder = self.folder / "checkpoints"
            path = newest(folder, verify, lambda note: self.event(0, note))
        return "" if path is None else path.name

    def step(self, step: Step, state: TrainingState) -> None:
        """A record about once a second, and for every step that was not taken."""
        now = time.monotonic()
        seconds, self._stepped = now - self._stepped, now
        if not step.taken:
            self.event(step.number, f"step {step.number} not taken: its gradient is not finite")
        elif now - self._told < SECONDS_PER_RECORD and step.number > 1:
            return
        self._told = now
        self.progress.append(step.number, "train", _values(step, state, seconds))

    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """A record; the weights, where they are among the best."""
        self.progress.append(state.step, "valid", scores)
        if state.step in state.best:
            with self.lease.held():
                save_weights(self.best(state.step), weights)
        self._stepped = time.monotonic()

    def event(self, step: int, note: str) -> None:
        """A record of an event."""
        self.progress.append(step, "event", note=note)

    def late(self) -> bool:
        """Have `checkpoint_seconds` passed since the last one?"""
        return time.monotonic() - self._saved >= self.checkpoint_seconds

    def save(self, checkpoint: Checkpoint) -> None:
        """Write it; then remove older ones, and weights that no checkpoint calls best."""
        folder = self.folder / "checkpoints"
        with self.lease.held():
            save(folder, checkpoint)
            prune(folder)
            states = [read_state(path)[0] for path in every(folder)]
            wanted = {self.best(step) for state in states for step in state.best}
            for path in set((self.folder / "best").glob("[0-9]*")) - wanted:
                shutil.rmtree(path, ignore_errors=True)
        self._saved = self._stepped = time.monotonic()

    def best(self, step: int) -> Path:
        """Where the weights after `step` are kept."""
        return self.folder / "best" / f"{step:08d}"


def _values(step: Step, state: TrainingState, seconds: float) -> dict[str, float]:
    return {
        "loss": step.loss,
        "rate": step.rate,
        "gradient_norm": step.gradient_norm,
        "tokens": step.tokens,
        "tokens_so_far": state.tokens,
        "seconds": seconds,
        "epoch": state.position.epoch,
        "skipped": state.skipped,
        **{f"count_{term}": count for term, count in step.counts.items()},
        **{f"loss_{term}": loss for term, loss in step.losses.items()},
    }
