"""Decays: the probability that a prefix holds the target's own id, which falls with the steps.

Example: `Linear(over_steps=100)` gives 1 before the first step, 0.5 in step 50, and 0 from step 100
on. All three are those of Bengio et al. 2015 (arXiv 1506.03099), section 2.4.
"""

import math
from abc import ABC, abstractmethod

from pydantic import Field, PositiveInt

from pipeline.settings import Settings


class Decay(Settings, ABC):
    """What every decay has; a decay is a final class that adds its own fields."""

    after_steps: int = Field(0, ge=0)
    """Steps of teacher forcing before the decay begins."""
    least: float = Field(0.0, ge=0, le=1)
    """The probability does not fall below this."""

    @abstractmethod
    def falling(self, steps: int) -> float:
        """The probability in step `steps` (from 1) of the decay."""

    def truth(self, step: int) -> float:
        """The probability in a step of the run that a prefix holds the target's own id."""
        if step <= self.after_steps:
            return 1.0
        return max(self.least, self.falling(step - self.after_steps))


class Linear(Decay):
    """Falls in a straight line."""

    over_steps: PositiveInt
    """Steps from 1 to 0."""

    def falling(self, steps: int) -> float:
        """1 - steps / over_steps."""
        return 1 - steps / self.over_steps


class Exponential(Decay):
    """Falls by the same factor in every step."""

    k: float = Field(gt=0, lt=1)
    """The factor."""

    def falling(self, steps: int) -> float:
        """k^steps."""
        return self.k**steps


class InverseSigmoid(Decay):
    """Stays near 1, falls, and goes to 0: half of it is done after k · ln k steps."""

    k: float = Field(ge=1)
    """The more, the later and the slower; in steps."""

    def falling(self, steps: int) -> float:
        """k / (k + exp(steps / k)), written so that nothing overflows."""
        return (1 - math.tanh((steps / self.k - math.log(self.k)) / 2)) / 2
