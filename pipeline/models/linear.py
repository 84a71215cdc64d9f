"""Linear maps and norms whose weights follow the activations: float32 masters, cast at use."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.weights import Weighted, glorot


class Linear(Weighted):
    """x W^T + b. Maps stacked in one matrix (`parts` of each) start as matrices of their own.

    `starts` is what each one's bias starts at; () is 0 for all.
    """

    def __init__(
        self,
        width_in: int,
        *widths_out: int,
        parts: int = 1,
        bias: bool = True,
        starts: tuple[float, ...] = (),
    ) -> None:
        super().__init__()
        self.widths_out = widths_out * parts
        self.starts = starts or (0.0,) * len(self.widths_out)
        self.weight = nn.Parameter(torch.empty(sum(self.widths_out), width_in))
        self.bias = nn.Parameter(torch.empty(sum(self.widths_out))) if bias else None

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Glorot's uniform weights."""
        generator = draw("weight")
        for part in self.weight.split(self.widths_out):
            glorot(part, generator)
        if self.bias is not None:
            for part, start in zip(self.bias.split(self.widths_out), self.starts, strict=True):
                part.fill_(start)

    def forward(self, vectors: Float[Tensor, "*places in"]) -> Float[Tensor, "*places out"]:
        """In the type of `vectors`."""
        ready = self.products.ready(vectors)
        if ready is not None:  # looking a parameter up takes longer than a look at a matrix
            return ready.product(vectors)
        return self.products.of(vectors, self.weight, self.bias)


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
        weight, dtype = self.weight, vectors.dtype
        result = torch.layer_norm(vectors.to(weight.dtype), weight.shape, weight, self.bias)
        return result.to(dtype)


class RMSNorm(Weighted):
    """Layer norm without mean and shift (Zhang & Sennrich 2019), in float32 at least."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """The identity, after normalising."""
        self.weight.fill_(1)

    def forward(self, vectors: Float[Tensor, "*places width"]) -> Float[Tensor, "*places width"]:
        """Mean square 1 over the channels, then scaled."""
        wide = vectors.to(self.weight.dtype)
        result = functional.rms_norm(wide, self.weight.shape, self.weight, eps=1e-5)
        return result.to(vectors.dtype)


AnyNorm = Norm | RMSNorm
NORMS: dict[str, type[AnyNorm]] = {"layer": Norm, "rms": RMSNorm}
