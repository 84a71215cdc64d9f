"""A table of vectors, one for each id of a vocabulary: embedding, and output matrix where tied."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.batches.batch import PAD
from pipeline.models.weights import Weighted


class Table(Weighted):
    """`[vocabulary, width]`, started normally with standard deviation width^-0.5, padding at 0."""

    def __init__(self, vocabulary: int, width: int, *, scale: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.scale = scale
        self.dtype = dtype
        self.weight = nn.Parameter(torch.empty(vocabulary, width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Scaled by width^0.5, a vector's channels have variance 1."""
        self.weight.normal_(0, self.weight.shape[1] ** -0.5, generator=draw("weight"))
        self.weight[PAD] = 0

    def forward(self, ids: Int[Tensor, "*places"]) -> Float[Tensor, "*places width"]:
        """The ids' vectors times `scale`, in the type that the model computes in."""
        return nn.functional.embedding(ids, self.weight).mul(self.scale).to(self.dtype)
