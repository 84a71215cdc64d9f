"""Multi-head attention (Vaswani et al. 2017) as two batched products and a softmax.

Linear maps work on flat positions; only the products between positions see a padded view. Written
out because that is faster on CPU than the fused kernel for sentences.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from pipeline.models.dropout import Dropout, salted
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear

MINUS_INFINITY = float("-inf")


def causal(mask: Bool[Tensor, "sequences longest"]) -> Bool[Tensor, "sequences longest longest"]:
    """May position i (row) attend to j: j is real and not after i."""
    longest = mask.shape[1]
    return torch.ones(longest, longest, dtype=torch.bool, device=mask.device).tril() & mask[:, None]


def bias_of(mask: Bool[Tensor, "..."], dtype: torch.dtype) -> Float[Tensor, "..."]:
    """0 where `mask` allows, minus infinity where it does not."""
    return torch.zeros(mask.shape, dtype=dtype, device=mask.device).masked_fill_(
        ~mask, MINUS_INFINITY
    )


class Attend(nn.Module):
    """softmax(q k^T / sqrt(d)) v for each head, with dropout of the probabilities."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.dropout = Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "sequences targets width"],
        keys: Float[Tensor, "sequences positions width"],
        values: Float[Tensor, "sequences positions width"],
        bias: Float[Tensor, "sequences ... positions"] | None,
        keys_of_rows: Int[Tensor, "sequences targets"] | None,
    ) -> tuple[Float[Tensor, "sequences targets width"], Float[Tensor, "..."]]:
        """Contexts, and the probabilities of each head `[sequences, heads, targets, positions]`."""
        split = (self.heads, -1)
        query = queries.unflatten(-1, split).transpose(1, 2)  # [N, H, T, d]
        key = keys.unflatten(-1, split).permute(0, 2, 3, 1)  # [N, H, d, S]
        value = values.unflatten(-1, split).transpose(1, 2)  # [N, H, S, d]
        scores = torch.matmul(query * self.scale, key)
        if bias is not None:
            scores = scores + bias[:, None]
        weights = torch.softmax(scores, dim=-1)
        dropped = self.dropout(weights, self._keys(keys_of_rows))
        return torch.matmul(dropped, value).transpose(1, 2).flatten(2), weights

    def _keys(self, keys: Int[Tensor, "sequences targets"] | None) -> Tensor | None:
        """A key for each row of the probabilities: its position's key and its head."""
        if keys is None or self.dropout.rate == 0:
            return None
        heads = torch.arange(self.heads, device=keys.device)
        return salted(keys[:, None], heads[:, None])  # [N, H, T]


class SelfAttention(nn.Module):
    """Positions attend to positions of their own sequence."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.project = Linear(width, width, parts=3)
        self.attend = Attend(width, heads, dropout)
        self.output = Linear(width, width)

    def forward(
        self,
        vectors: Float[Tensor, "positions width"],
        layout: Layout,
        bias: Float[Tensor, "sequences ... longest"] | None,
        keys: Int[Tensor, "sequences longest"] | None,
    ) -> Float[Tensor, "positions width"]:
        """`keys` are the positions' keys in the padded view."""
        query, key, value = layout.pad(self.project(vectors)).chunk(3, dim=-1)
        context, _ = self.attend(query, key, value, bias, keys)
        return self.output(layout.unpad(context))

    def step_inputs(
        self, vectors: Float[Tensor, "hypotheses width"]
    ) -> tuple[Tensor, Tensor, Tensor]:
        """This step's query, key and value."""
        query, key, value = self.project(vectors).chunk(3, dim=-1)
        return query, key, value

    def step(
        self,
        query: Float[Tensor, "hypotheses width"],
        keys: Float[Tensor, "steps hypotheses width"],
        values: Float[Tensor, "steps hypotheses width"],
    ) -> Float[Tensor, "hypotheses width"]:
        """The last position attends to all so far; time comes first, as the cache lies."""
        context, _ = self.attend(
            query[:, None], keys.transpose(0, 1), values.transpose(0, 1), None, None
        )
        return self.output(context[:, 0])


class CrossAttention(nn.Module):
    """Positions of a target attend to their source's memory, whose keys are made once."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.query = Linear(width, width)
        self.memory = Linear(width, width, parts=2)
        self.attend = Attend(width, heads, dropout)
        self.output = Linear(width, width)

    def keys_values(
        self, states: Float[Tensor, "positions width"], layout: Layout
    ) -> tuple[Float[Tensor, "sources longest width"], Float[Tensor, "sources longest width"]]:
        """Keys and values of a memory, padded."""
        keys, values = layout.pad(self.memory(states)).chunk(2, dim=-1)
        return keys, values
