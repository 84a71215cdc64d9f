"""The profiler: where a few steps of a training spend their time. Nothing of them is kept.

Time is that of operations alone, without what they call in turn: on a CPU of the thread that takes
the steps, on a GPU of the kernels that an operation starts. What is left is the time between them:
Python, the making of batches, and on a GPU whatever leaves it idle. Watching costs some of it.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from torch.profiler import ProfilerActivity

from pipeline.batches.plan import Position
from pipeline.training.loop import Course, steps
from pipeline.training.settings import Training
from pipeline.training.step import Step, hands_of
from pipeline.training.team import Team
from pipeline.training.weights import Learner

WARM_UP, WATCHED = 3, 5  # steps
HEAVIEST = 10
PRODUCTS = {
    f"aten::{name}"
    for name in ("mm", "addmm", "bmm", "baddbmm", "mv", "addmv", "dot", "mkldnn_convolution")
} | {"aten::cudnn_convolution", "aten::convolution_backward", "mkldnn::_linear_pointwise"}


@dataclass(frozen=True, slots=True)
class Item:
    """An operation."""

    name: str
    seconds: float  # of all steps that were watched
    calls: int

    @property
    def is_product(self) -> bool:
        """Is it a product of matrices, or a convolution?"""
        return self.name in PRODUCTS


@dataclass(frozen=True, slots=True)
class Profile:
    """What became of the time of some steps."""

    steps: int
    tokens: int  # target tokens of all of them
    seconds: float  # of all of them, by the clock
    items: tuple[Item, ...]  # the heaviest first

    def lines(self) -> Iterator[str]:
        """The heaviest items as a table, and what the rest comes to."""
        each = self.seconds / self.steps
        yield (
            f"{self.steps} steps of {self.tokens / self.steps:,.0f} target tokens, "
            f"{1000 * each:,.1f} ms each"
        )
        yield "  share    ms a step  calls a step  item"
        for item in self.items[:HEAVIEST]:
            yield self._line(item.seconds, f"{item.calls / self.steps:12,.0f}", item.name)
        rest = self.items[HEAVIEST:]
        yield self._line(_sum(rest), " " * 12, f"{len(rest)} others")
        yield self._line(self.seconds - _sum(self.items), " " * 12, "between operations")
        products = [item for item in self.items if item.is_product]
        yield f"products of matrices: {_sum(products) / self.seconds:.1%} of the time"

    def _line(self, seconds: float, calls: str, name: str) -> str:
        each = 1000 * seconds / self.steps
        return f"  {seconds / self.seconds:6.1%} {each:11,.1f}  {calls}  {name}"


def _sum(items: tuple[Item, ...] | list[Item]) -> float:
    return sum(item.seconds for item in items)


def profiled(learner: Learner, course: Course, settings: Training, team: Team, to: Path) -> Profile:
    """Watch steps from the first one on, taken by this worker alone; the trace goes to `to`.

    It changes the learner's weights.
    """
    optimizer = settings.optimizer.build(dict(learner.named_parameters()))
    hands = hands_of(learner, optimizer, team, settings.optimizer.clip_norm)
    some = settings.model_copy(update={"steps": WARM_UP + WATCHED})
    taken = steps(hands, course, some, start=Position(), done=0, rate_factor=1.0, stop=bool)
    for _ in islice(taken, WARM_UP):
        pass
    with torch.profiler.profile(activities=_activities(team.device)) as recorded:
        began = time.perf_counter()
        watched: list[Step] = [step for step, _ in taken]
        if team.device.type == "cuda":
            torch.cuda.synchronize(team.device)
        seconds = time.perf_counter() - began
    recorded.export_chrome_trace(str(to))
    tokens = sum(step.tokens for step in watched)
    return Profile(len(watched), tokens, seconds, _items(recorded, team.device))


def _activities(device: torch.device) -> list[ProfilerActivity]:
    on_device = [ProfilerActivity.CUDA] if device.type == "cuda" else []
    return [ProfilerActivity.CPU, *on_device]


def _items(recorded: Any, device: torch.device) -> tuple[Item, ...]:
    """Operations by their own time. Kernels are no items: each is in the one that started it."""
    own = "self_device_time_total" if device.type == "cuda" else "self_cpu_time_total"
    items = [
        Item(event.key, getattr(event, own) / 1e6, event.count)
        for event in recorded.key_averages()
        if event.device_type.name == "CPU"
    ]
    heaviest = sorted(items, key=lambda item: -item.seconds)
    return tuple(item for item in heaviest if item.seconds > 0)
