"""Optimisers: from the group's whole gradient to new weights.

The state is named tensors, so that it can be stored as safetensors beside the weights.
"""

from collections.abc import Mapping

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import Parameter

from pipeline.settings import Settings


class AdamW(Settings):
    """Adam with decoupled weight decay (Loshchilov & Hutter 2019)."""

    betas: tuple[float, float] = (0.9, 0.98)
    """How fast the moving averages of the gradient and of its square forget."""
    epsilon: float = Field(1e-8, gt=0)
    """Added to the root of the second moment."""
    weight_decay: float = Field(0.0, ge=0)
    """Share of a weight, times the rate, taken off each step; biases and norms are spared."""
    clip_norm: float | None = Field(1.0, gt=0)
    """Largest norm of the group's gradient; null: no clipping."""

    def build(self, parameters: Mapping[str, Parameter]) -> "Optimizer":
        """An optimiser of these parameters."""
        matrices = [p for p in parameters.values() if p.ndim >= 2]
        vectors = [p for p in parameters.values() if p.ndim < 2]
        decays = ((matrices, self.weight_decay), (vectors, 0.0))
        groups = [{"params": some, "weight_decay": decay} for some, decay in decays if some]
        inner = torch.optim.AdamW(groups, betas=self.betas, eps=self.epsilon, fused=True)
        return Optimizer(parameters, inner)


class Optimizer:
    """One of torch's optimisers; its state has names: `PARAMETER/exp_avg`, `PARAMETER/step`, …"""

    def __init__(self, parameters: Mapping[str, Parameter], inner: torch.optim.Optimizer) -> None:
        self.parameters = parameters
        self.inner = inner

    def step(self, rate: float) -> None:
        """Change the weights by their gradients, at this learning rate."""
        for group in self.inner.param_groups:
            group["lr"] = rate
        self.inner.step()

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, beside weights and gradient."""
        return {
            f"{name}/{key}": value
            for name, parameter in self.parameters.items()
            for key, value in self.inner.state[parameter].items()
        }

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave; a stored count may have got an axis."""
        for full_name, value in state.items():
            name, key = full_name.rsplit("/", 1)
            parameter = self.parameters[name]
            shape = () if key == "step" else parameter.shape
            self.inner.state[parameter][key] = value.to(parameter.device).reshape(shape).clone()
