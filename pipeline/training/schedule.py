"""Schedules: the learning rate of each step, a closed formula of the step's number.

Steps count from 1. Every schedule rises linearly over `warmup_steps` to `peak_rate`; what follows
gives it its name. Zero, where a schedule falls to it, would be reached one step after the last.
"""

import math
from abc import abstractmethod

from pydantic import Field

from pipeline.settings import Settings


class Schedule(Settings):
    """Learning rate as a function of the step's number."""

    peak_rate: float = Field(gt=0)
    """The highest learning rate, reached at the end of the warm-up."""
    warmup_steps: int = Field(0, ge=0)
    """Steps of linear rise from 0; 0 starts at the peak."""

    @abstractmethod
    def falling(self, step: int, steps: int) -> float:
        """The share of the peak at `step`, after the warm-up, in a run of `steps`."""

    def rate(self, step: int, steps: int) -> float:
        """The learning rate of `step` (from 1) in a run of `steps`."""
        if step <= self.warmup_steps:
            return self.peak_rate * step / self.warmup_steps
        return self.peak_rate * self.falling(step, steps)

    def _done(self, step: int, steps: int) -> float:
        """The share of the way from the end of the warm-up to one step after the last."""
        return (step - self.warmup_steps) / (steps + 1 - self.warmup_steps)


class InverseSqrt(Schedule):
    """Falls with the inverse square root of the step (Vaswani et al. 2017, section 5.3)."""

    def falling(self, step: int, steps: int) -> float:
        """sqrt(warm-up / step)."""
        return math.sqrt(max(1, self.warmup_steps) / step)


class Linear(Schedule):
    """Falls in a straight line to zero."""

    def falling(self, step: int, steps: int) -> float:
        """1 - share of the way."""
        return 1 - self._done(step, steps)


class Cosine(Schedule):
    """Falls along half a cosine to zero (Loshchilov & Hutter 2017, without restarts)."""

    def falling(self, step: int, steps: int) -> float:
        """(1 + cos(pi * share of the way)) / 2."""
        return (1 + math.cos(math.pi * self._done(step, steps))) / 2
