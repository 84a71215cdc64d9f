"""The position-wise network of a Transformer (Vaswani et al. 2017): wide, bent, narrow again."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.dropout import Dropout
from pipeline.models.linear import Linear


def swiglu(
    vectors: Float[Tensor, "*places gates_and_values"],
) -> Float[Tensor, "*places values"]:
    """silu(gate) · value, of two maps side by side (Shazeer 2020)."""
    gates, values = vectors.chunk(2, dim=-1)
    return functional.silu(gates) * values


# How the inner channels are bent, and from how many maps each is made.
ACTIVATIONS: dict[str, tuple[Callable[[Tensor], Tensor], int]] = {
    "relu": (torch.relu, 1),
    "gelu": (functional.gelu, 1),  # Hendrycks & Gimpel 2016, exact
    "swiglu": (swiglu, 2),
}


class FeedForward(nn.Module):
    """The same maps at every position."""

    def __init__(self, width: int, inner: int, dropout: float, activation: str = "relu") -> None:
        super().__init__()
        self.bend, maps = ACTIVATIONS[activation]
        self.widen = Linear(width, inner, parts=maps)
        self.dropout = Dropout(dropout)
        self.narrow = Linear(inner, width)

    def forward(
        self, vectors: Float[Tensor, "*places width"], keys: Int[Tensor, "*places"] | None
    ) -> Float[Tensor, "*places width"]:
        """`keys` are the positions' keys, None in evaluation."""
        return self.narrow(self.dropout(self.bend(self.widen(vectors)), keys))
