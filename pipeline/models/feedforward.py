"""The position-wise network of a Transformer: linear, ReLU, linear (Vaswani et al. 2017)."""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.models.dropout import Dropout
from pipeline.models.linear import Linear


class FeedForward(nn.Module):
    """The same two linear maps at every position."""

    def __init__(self, width: int, inner: int, dropout: float) -> None:
        super().__init__()
        self.widen = Linear(width, inner)
        self.dropout = Dropout(dropout)
        self.narrow = Linear(inner, width)

    def forward(
        self, vectors: Float[Tensor, "*places width"], keys: Int[Tensor, "*places"] | None
    ) -> Float[Tensor, "*places width"]:
        """`keys` are the positions' keys, None in evaluation."""
        return self.narrow(self.dropout(torch.relu(self.widen(vectors)), keys))
