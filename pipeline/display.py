"""Training as a person sees it: a bar in a terminal, plain lines elsewhere.

It follows a run's progress file from the process that waits, so that it neither slows the workers
nor depends on where they are. A line: `step 300 of 1800  loss 3.214  5,930 tokens/s  4:10 left
gradient 0.84  padding 1.6%`; tokens are those of targets, the gradient is its norm, and padding the
share of multiply-adds that are spent on it.
Where a flow reads what we print, the terminal is the flow's: it is told what to show, and shows it.
"""

import json
import os
import sys
import time
from collections import deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from pipeline.files import write_json
from pipeline.lookout import lookout

SCREEN = "SEQLINE_SCREEN"  # set by a flow in a terminal: the file that tells it what to show
SECONDS_PER_LOOK = 0.5
BAR = 16  # columns: of 80, most are left for what is told
SECONDS_PER_LINE = 15.0
WINDOW = 30  # records that speed is measured over
# Of a step, what is shown where a record holds it: what is no number is left out there.
TOLD = {"loss": "loss {:.3f}", "gradient_norm": "gradient {:.2f}", "padding": "padding {:.1%}"}
UNTOLD = "gradient_"  # of a validation, norms of gradients are for curves.csv and MLflow


class Screen(Protocol):
    """What a run is shown on."""

    def step(self, step: int, facts: str) -> None:
        """Show where training stands."""
        ...

    def line(self, text: str) -> None:
        """Show something that stays."""
        ...


class Lines:
    """A log: now and then a line."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._shown = 0.0

    def step(self, step: int, facts: str) -> None:
        """A line, where the last one is long enough ago."""
        now = time.monotonic()
        if now - self._shown >= SECONDS_PER_LINE or step == self.steps:
            self._shown = now
            self.line(f"step {step} of {self.steps}  {facts}")

    def line(self, text: str) -> None:
        """A line."""
        print(text, flush=True)


class Bar:
    """A terminal: one bar, with what stays above it."""

    def __init__(self, steps: int) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (BarColumn(BAR), MofNCompleteColumn(), TextColumn("{task.fields[facts]}"))
        self.progress = Progress(TextColumn("training"), *columns)
        self._task = self.progress.add_task("training", total=steps, facts="starting")

    def step(self, step: int, facts: str) -> None:
        """Move the bar."""
        self.progress.update(self._task, completed=step, facts=facts)

    def line(self, text: str) -> None:
        """A line above the bar."""
        self.progress.console.print(text, highlight=False)


class Follower:
    """Reads what was appended to a progress file, and shows it."""

    def __init__(self, path: Path, steps: int, screen: Screen, start: int = 0) -> None:
        self.path, self.steps, self.screen = path, steps, screen
        self._offset = start  # in bytes; what is before it is not shown
        self._seen: deque[tuple[float, int, int]] = deque(maxlen=WINDOW)  # time, step, tokens

    def look(self) -> None:
        """Show the whole lines that came since the last look."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._offset)
            content = file.read()
        whole = content[: content.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            try:
                self._show(json.loads(line))
            except (ValueError, KeyError):  # a line that a crash cut short
                continue

    def _show(self, record: Mapping[str, Any]) -> None:
        step, values = int(record["step"]), record["values"]
        if record["kind"] == "train":
            self.screen.step(step, self._facts(record["time"], step, values))
        elif record["kind"] == "valid":
            names = sorted(name for name in values if not name.startswith(UNTOLD))
            scores = "  ".join(f"{name} {values[name]:.3f}" for name in names)
            self.screen.line(f"step {step}: validation  {scores}")
        elif record["kind"] == "event":
            self._seen.clear()
            self.screen.line(f"step {step}: {record['note']}")

    def _facts(self, now: float, step: int, values: Mapping[str, float]) -> str:
        self._seen.append((now, step, int(values["tokens_so_far"])))
        then, first, before = self._seen[0]
        facts = [form.format(values[name]) for name, form in TOLD.items() if name in values]
        if first < step and then < now:
            speed = (values["tokens_so_far"] - before) / (now - then)
            left = (self.steps - step) * (now - then) / (step - first)
            facts[1:1] = [f"{speed:,.0f} tokens/s", f"{_clock(left)} left"]
        return "  ".join(facts)


def _clock(seconds: float) -> str:
    minutes, left = divmod(int(seconds), 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours}:{rest:02d}:{left:02d}" if hours else f"{minutes}:{left:02d}"


@contextmanager
def showing(path: Path, steps: int) -> Generator[None]:
    """Follow the progress file `path` of a run of `steps`, until the body ends."""
    start = path.stat().st_size if path.exists() else 0
    if SCREEN in os.environ:
        asked = {"path": str(path.resolve()), "steps": steps, "start": start}
        write_json(Path(os.environ[SCREEN]), asked)
        yield
    elif sys.stdout.isatty():
        with bar(path, steps, start):
            yield
    else:
        with _following(Follower(path, steps, Lines(steps), start)):
            yield


@contextmanager
def bar(path: Path, steps: int, start: int) -> Generator[None]:
    """Follow the progress file from the byte `start` on, in this terminal."""
    shown = Bar(steps)
    with shown.progress, _following(Follower(path, steps, shown, start)):
        yield


@contextmanager
def _following(follower: Follower) -> Generator[None]:
    try:
        with lookout(follower.look, every=SECONDS_PER_LOOK):
            yield
    finally:
        follower.look()
