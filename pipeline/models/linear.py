"""Linear maps and norms whose weights follow the activations: float32 masters, cast at use."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.weights import Weighted, glorot


class Linear(Weighted):
    """x W^T + b. `parts` maps stacked in one matrix start as so many matrices of their own."""

    def __init__(self, width_in: int, width_out: int, *, parts: int = 1, bias: bool = True) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(parts * width_out, width_in))
        self.bias = nn.Parameter(torch.empty(parts * width_out)) if bias else None
        self.width_out = width_out

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Glorot's uniform weights, biases 0."""
        glorot(self.weight, draw("weight"), fan_out=self.width_out)
        if self.bias is not None:
            self.bias.zero_()

    def forward(self, vectors: Float[Tensor, "*places in"]) -> Float[Tensor, "*places out"]:
        """In the type of `vectors`."""
        dtype = vectors.dtype
        bias = None if self.bias is None else self.bias.to(dtype)
        return functional.linear(vectors, self.weight.to(dtype), bias)


class Norm(Weighted):
    """Layer norm (Ba et al. 2016), computed in float32 at least, given back in the input's type."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))
        self.bias = nn.Parameter(torch.empty(width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """The identity, after normalising."""
        self.weight.fill_(1)
        self.bias.zero_()

    def forward(self, vectors: Float[Tensor, "*places width"]) -> Float[Tensor, "*places width"]:
        """Mean 0 and variance 1 over the channels, then scaled and shifted."""
        wide = vectors.to(self.weight.dtype)
        result = functional.layer_norm(wide, self.weight.shape, self.weight, self.bias)
        return result.to(vectors.dtype)
