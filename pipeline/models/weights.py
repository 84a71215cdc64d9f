"""Filling a model's weights: each parameter is drawn from (seed, its own name).

So a weight does not depend on the order in which parts are built, nor on any global generator, and
two models that share a part's name and seed start with the same part.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from pipeline.models.products import Products


class Weighted(nn.Module, ABC):
    """A module with parameters of its own, which knows how they start."""

    def __init__(self) -> None:
        super().__init__()
        self.products = Products()  # of its matrix, where it has one

    @abstractmethod
    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Give every own parameter its first value; `draw(name)` is the parameter's generator."""


def fill(model: nn.Module, seed: int) -> None:
    """Fill every parameter of `model`."""
    filled: set[str] = set()
    with torch.no_grad():
        for prefix, module in model.named_modules():
            if isinstance(module, Weighted):
                module.fill(partial(_generator, seed, prefix))
                own = module.named_parameters(prefix, recurse=False)
                filled |= {name for name, _ in own}
    missing = {name for name, _ in model.named_parameters()} - filled
    assert not missing, f"nobody fills {sorted(missing)}"


def settle(model: nn.Module) -> None:
    """Say that no weight of `model` will change any more: a search is faster then."""
    for module in model.modules():
        if isinstance(module, Weighted):
            module.products.settled = True


def _generator(seed: int, prefix: str, name: str) -> torch.Generator:
    """torch keeps 32 bits of a seed: they are taken from a digest."""
    bits = hashlib.sha256(f"{seed} {prefix}.{name}".encode()).digest()[:4]
    return torch.Generator().manual_seed(int.from_bytes(bits, "little"))


def asking(weight: Tensor) -> Tensor:
    """The weight as a function with a gradient of its own is given it: asking for one, or not.

    Such a function sees what could have a gradient even where gradients are off (torch.no_grad),
    and cannot see that they are.
    """
    return weight if torch.is_grad_enabled() else weight.detach()


def glorot(weight: Tensor, generator: torch.Generator, *, fan_out: int | None = None) -> None:
    """Uniform, variance 2 / (in + out) (Glorot & Bengio 2010); `fan_out` of each stacked part."""
    rows, columns = weight.shape
    bound = (6 / ((fan_out or rows) + columns)) ** 0.5
    weight.uniform_(-bound, bound, generator=generator)
