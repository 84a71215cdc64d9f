"""Optimisers: from the group's whole gradient to new weights.

The state is named tensors, so that it can be stored as safetensors beside the weights.
"""

from collections.abc import Mapping
from typing import Annotated, cast

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import Parameter
from torch.optim.adamw import adamw

from pipeline.settings import Settings

Beta = Annotated[float, Field(ge=0, lt=1)]


class AdamW(Settings):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    betas: tuple[Beta, Beta] = (0.9, 0.98)
    """What the moving averages of the gradient and of its square keep of themselves in a step."""
    epsilon: float = Field(1e-8, gt=0)
    """Added to the root of the second moment."""
    weight_decay: float = Field(0.0, ge=0)
    """Share of a weight, times the rate, that a step takes off; of matrices, not of vectors."""
    clip_norm: float | None = Field(1.0, gt=0)
    """Largest norm of the group's gradient; null: no clipping."""

    def build(self, parameters: Mapping[str, Parameter]) -> "Optimizer":
        """An optimiser of these parameters."""
        return Optimizer(self, parameters)


class Optimizer:
    """AdamW's two moments of every parameter, and how many steps were taken.

    The arithmetic is torch's fused function; its class would import torch's compiler (five seconds
    of every worker's start), and keeps its state under numbers instead of names.
    """

    def __init__(self, settings: AdamW, parameters: Mapping[str, Parameter]) -> None:
        self.settings = settings
        self.parameters = dict(parameters)
        self._first = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self._second = {name: torch.zeros_like(p) for name, p in self.parameters.items()}
        self._count = 0

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Change the weights by their gradients, at this learning rate."""
        matrices = [name for name, p in self.parameters.items() if p.ndim >= 2]
        vectors = [name for name, p in self.parameters.items() if p.ndim < 2]
        for names, decay in ((matrices, self.settings.weight_decay), (vectors, 0.0)):
            if names:
                self._change(names, rate, decay)
        self._count += 1

    def _change(self, names: list[str], rate: float, decay: float) -> None:
        parameters = [self.parameters[name] for name in names]
        device = parameters[0].device
        counts = torch.full((len(names),), float(self._count), device=device)  # float32, as torch's
        adamw(
            cast(list[Tensor], parameters),
            [_gradient(parameter) for parameter in parameters],
            [self._first[name] for name in names],
            [self._second[name] for name in names],
            [],
            list(counts.unbind()),
            foreach=False,
            fused=True,
            amsgrad=False,
            beta1=self.settings.betas[0],
            beta2=self.settings.betas[1],
            lr=rate,
            weight_decay=decay,
            eps=self.settings.epsilon,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, beside weights and gradient."""
        moments = {"first": self._first, "second": self._second}
        named = {f"{m}/{name}": t for m, all_ in moments.items() for name, t in all_.items()}
        return {"count": torch.tensor([self._count]), **named}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        self._count = int(state["count"])
        for name in self.parameters:
            self._first[name].copy_(state[f"first/{name}"])
            self._second[name].copy_(state[f"second/{name}"])


def _gradient(parameter: Parameter) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
