"""The writer: the clerk that writes.

Whatever it writes in `state/RUNKEY/`, it writes under the lease, which shows others that it lives;
what is large, beside its place by a thread of its own, so that steps go on, and only its name under
the lease. Clocks may decide when it writes, never what is trained.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf, isfinite
from pathlib import Path

from pipeline.training.averaging import average
from pipeline.training.background import Background
from pipeline.training.checkpoint import (
    Checkpoint,
    Tensors,
    copied,
    load,
    load_weights,
    newest,
    prune,
    save,
    save_weights,
)
from pipeline.training.clerk import Clerk
from pipeline.training.folders import remove, sweep
from pipeline.training.host import Host
from pipeline.training.lease import Lease
from pipeline.training.pace import Pace
from pipeline.training.progress import Kind, ProgressFile, read
from pipeline.training.standby import Standby
from pipeline.training.state import TrainingState
from pipeline.training.step import Step
from pipeline.training.watchdog import Watchdog

SECONDS_PER_RECORD = 1.0
SECONDS_PER_HOST = 10.0  # as MLflow looks at a system of its own accord
SHORT = (
    "memory was short: cut slots in two ({} times in this step) and took the same step; "
    "a lower slot_cost in machine.yaml saves the attempts"
)


class Writer(Clerk):
    """The clerk that writes, in the folder of the lease."""

    def __init__(
        self,
        lease: Lease,
        background: Background,
        watchdog: Watchdog,
        standby: Standby,
        pace: Pace,
        *,
        checkpoint_seconds: float,
        overdue: Callable[[], bool],
    ) -> None:
        self.lease, self.folder = lease, lease.folder
        self.background, self.watchdog, self.standby = background, watchdog, standby
        self.pace, self.host = pace, Host(lease.folder, pace.device)
        self.checkpoints = lease.folder / "checkpoints"
        self.progress = ProgressFile(lease.folder)
        self.checkpoint_seconds, self.overdue = checkpoint_seconds, overdue
        self._saved = self._told = time.monotonic()
        self._looked = -inf
        self._saved_groups = -1  # of the newest that is there, or will be
        self._highest = 0  # step that the progress tells of
        self._untold: tuple[int, Mapping[str, float]] | None = None
        self._cuts = self._step = 0

    def resume(self) -> str:
        """Sweep up after a kill, then verify from the newest on; tell of what does not."""
        with self.lease.held():
            for folder in (self.folder, self.checkpoints, self.folder / "best"):
                sweep(folder)
        steps = [record.step for record in read(self.folder) if record.kind == "train"]
        self._highest = max(steps, default=0)
        name = self._newest(planned=False)
        self._saved_groups = int(name) if name else -1
        return name

    def planned(self) -> str:
        """Verify from the newest on; tell of what does not."""
        self._tell_step()
        self.wait()
        return self._newest(planned=True)

    def _newest(self, *, planned: bool) -> str:
        notes: list[str] = []
        with self.lease.held():
            path = newest(self.checkpoints, self._verify, notes.append, planned=planned)
        self._tell_all(0, notes)
        return "" if path is None else path.name

    def _verify(self, checkpoint: Checkpoint) -> None:
        """The weights that a checkpoint calls best are there, too."""
        for groups in checkpoint.state.best_groups:
            load_weights(self.best(groups))

    def load(self, name: str) -> Checkpoint | None:
        """From the folder: only this worker's host need have it."""
        return load(self.checkpoints / name)

    def average(self, groups: Sequence[int]) -> Tensors:
        """From the folder."""
        return average([self.best(number) for number in groups])

    def step(self, step: Step, state: TrainingState) -> None:
        """A record of the first, then about once a second, and of every step that was not taken, or
        of which an older record, of what was undone, would else stay the last."""
        self.background.check()
        spent, now, self._step = self.pace.step(step), self.pace.stepped, step.number
        self._tell_cuts(step)
        self._untold = step.number, {**_values(step, state), **spent, "cut_slots": self._cuts}
        self._report(self.watchdog.step(step.tokens, spent["seconds"], now))
        if not step.taken:
            self.event(step.number, f"step {step.number} not taken: {_not_finite(step)}")
        again = step.number <= max(1, self._highest)
        if again or not step.taken or now - self._told >= SECONDS_PER_RECORD:
            self._tell_step()

    def _tell_cuts(self, step: Step) -> None:
        """An event of the first; the records count them."""
        if step.cuts and not self._cuts:
            self.event(step.number, SHORT.format(step.cuts))
        self._cuts += step.cuts

    def _tell_step(self) -> None:
        """A record of the last step, where it has none yet."""
        if self._untold is not None:
            number, values = self._untold
            self._untold, self._told = None, self.pace.stepped
            self._highest = max(self._highest, number)
            self._tell(number, "train", {**values, **self.pace.told()})

    def scores(self, scores: Mapping[str, float], state: TrainingState, weights: Tensors) -> None:
        """A record; the weights, where they are among the best."""
        self._tell(state.step, "valid", {**scores, **state.curve[-1].gradients})
        if state.step in state.best:
            self.background.do(partial(self._keep_best, state.groups, copied(weights)))
        self.watchdog.heard(time.monotonic())
        self.pace.begin()

    def _keep_best(self, groups: int, weights: Tensors) -> None:
        with self.lease.explained():
            save_weights(self.best(groups), weights, self.lease.held)

    def event(self, step: int, note: str) -> None:
        """A record of an event."""
        self._tell(step, "event", note=note)

    def _report(self, note: str) -> None:
        if note:
            self.event(self._step, note)

    def _tell_all(self, step: int, notes: list[str]) -> None:
        for note in notes:
            self.event(step, note)

    def _tell(
        self, step: int, kind: Kind, values: Mapping[str, float] | None = None, note: str = ""
    ) -> None:
        with self.lease.held():
            self.progress.append(step, kind, values, note)

    def look(self) -> None:
        """Report a silence, and now and then the host; where a wish to stop has waited for long,
        keep the last whole state."""
        now = time.monotonic()
        self._report(self.watchdog.look(now))
        if now - self._looked >= SECONDS_PER_HOST:
            self._looked = now
            self._tell(self._step, "system", self.host.look())
        checkpoint = self.standby.checkpoint(self._saved_groups) if self.overdue() else None
        if checkpoint:
            self._give(checkpoint)

    def late(self) -> bool:
        """Have `checkpoint_seconds` passed since the last one, and is it written?"""
        due = time.monotonic() - self._saved >= self.checkpoint_seconds
        return due and not self.background.busy

    def save(self, checkpoint: Checkpoint) -> None:
        """Have it written, with a record of its step; then older ones and useless weights go."""
        self._tell_step()
        weights, optimizer = copied(checkpoint.weights), copied(checkpoint.optimizer)
        self._give(replace(checkpoint, weights=weights, optimizer=optimizer))
        self.pace.begin()
        self._saved = self.pace.stepped

    def _give(self, checkpoint: Checkpoint) -> None:
        self._saved_groups = checkpoint.state.groups
        self.background.do(partial(self._keep, checkpoint))

    def _keep(self, checkpoint: Checkpoint) -> None:
        """In the writer's thread: prove it, then remove what is older."""
        with self.lease.explained():
            save(self.checkpoints, checkpoint, self.lease.held)
        notes: list[str] = []
        with self.lease.held():
            states = prune(self.checkpoints, notes.append)
            wanted = {self.best(groups) for state in states for groups in state.best_groups}
            for path in set((self.folder / "best").glob("[0-9]*")) - wanted:
                remove(path)
        self._tell_all(checkpoint.state.step, notes)

    def wait(self) -> None:
        """Until all that was given is written; what failed there is raised here."""
        self.background.wait()

    def keep(self, write: Callable[[], object]) -> None:
        """Under the lease, as everything."""
        self.wait()
        with self.lease.held():
            write()

    def best(self, groups: int) -> Path:
        """Where the weights after so many groups are kept."""
        return self.folder / "best" / f"{groups:08d}"


def _not_finite(step: Step) -> str:
    return "its gradient is not finite" if isfinite(step.loss) else "its loss is not finite"


def _values(step: Step, state: TrainingState) -> dict[str, float]:
    return {
        "loss": step.loss,
        "rate": step.rate,
        "gradient_norm": step.gradient_norm,
        "tokens": step.tokens,
        "tokens_so_far": state.tokens,
        "epoch": state.position.epoch,
        "skipped": state.skipped,
        "rollbacks": state.rollbacks,
        **{f"count_{term}": count for term, count in step.counts.items()},
        **{f"loss_{term}": loss for term, loss in step.losses.items()},
    }
