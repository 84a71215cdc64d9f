"""Recovery: which steps are not good enough to go on from, and what then.

A step whose loss or gradient is not finite is not taken. Where that happens in too many steps in a
row, or a loss is far outside its running spread, the run goes back to its last planned checkpoint.
All of it is decided from sums over the workers, and remembered in the training state.
"""

import math
from dataclasses import dataclass

from pydantic import Field, NonNegativeInt, PositiveInt

from pipeline.settings import Settings


class Recovery(Settings):
    """What a run does about steps that must not be taken."""

    max_skipped_steps: PositiveInt = 20
    """Steps in a row whose loss or gradient is not finite, before the run goes back to its last
    planned checkpoint."""
    spike_spread: float | None = Field(default=None, gt=0)
    """Go back, too, where a step's loss is more than so many running standard deviations above its
    running mean (20: only a run that falls apart); null: never."""
    spread_steps: int = Field(default=100, ge=2)
    """Steps that the running mean and deviation look back on, and that come before the first is
    judged."""
    rate_factor: float = Field(default=0.5, gt=0, le=1)
    """What all further learning rates are multiplied by each time the run goes back."""
    max_rollbacks: NonNegativeInt = 3
    """How often a run may go back, before it ends and names the examples."""


@dataclass(frozen=True, slots=True)
class RunningSpread:
    """Mean and variance of the losses of the steps taken, the later ones the more.

    With share = max(1 / n, 1 / steps) at the n-th: of the first `steps` exactly their mean and
    variance, from there on exponential. Example: losses 1, 3 give mean 2, variance 1.
    """

    count: int = 0
    mean: float = 0.0
    variance: float = 0.0

    def add(self, loss: float, steps: int) -> "RunningSpread":
        """The spread with one more loss (West 1979)."""
        count = min(self.count + 1, steps)
        change = (loss - self.mean) / count
        variance = (1 - 1 / count) * (self.variance + change * (loss - self.mean))
        return RunningSpread(count, self.mean + change, variance)

    def limit(self, recovery: Recovery) -> float:
        """The loss above which a step is no longer one of these."""
        if recovery.spike_spread is None or self.count < recovery.spread_steps:
            return math.inf
        return self.mean + recovery.spike_spread * math.sqrt(self.variance)
