"""An exponential moving average of the weights, which is what is validated, kept and exported.

After every step that was taken, average ← average + share · (weights - average), with
share = (1 - decay) / (1 - decay^n) after n of them: so the average is Σ decay^(n-k) w_k over the
weights w_1 … w_n, divided by the sum of its factors (Kingma & Ba 2015, section 7.2), and the first
weights, which were drawn, have no part in it. Example: decay 0.5, w = 4, 1: 4, then 2.
"""

from collections.abc import Generator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.nn import Parameter

PREFIX = "average/"


class MovingAverage:
    """The average of `parameters` (by name), of which the optimiser changes the values."""

    def __init__(self, decay: float, parameters: Mapping[str, Parameter]) -> None:
        self.decay = decay
        self._parameters = dict(parameters)
        self._average = {name: p.detach().clone() for name, p in self._parameters.items()}
        self._count = 0

    def add(self) -> None:
        """Take the present weights in."""
        self._count += 1
        share = (1 - self.decay) / (1 - self.decay**self._count)
        for name, parameter in self._parameters.items():
            self._average[name].lerp_(parameter.detach(), share)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Meanwhile the model's weights are the average; before the first step, as they are."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, parameter in self._parameters.items():
            parameter.data, self._average[name] = self._average[name], parameter.data

    def state(self) -> dict[str, Tensor]:
        """Everything that the next average depends on, beside the weights."""
        named = {f"{PREFIX}{name}": tensor for name, tensor in self._average.items()}
        return {"averaged": torch.tensor([self._count]), **named}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        self._count = int(state["averaged"])
        for name, average in self._average.items():
            average.copy_(state[f"{PREFIX}{name}"])
