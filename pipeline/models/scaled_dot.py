"""Scaled dot-product attention (Vaswani et al. 2017): two batched products and a softmax.

Written out, with its gradient, because for sentences that is faster on a CPU than the fused kernel.
A batched product sees all the rows that share keys side by side: those of several heads where
queries are grouped.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.dropout import Dropout, salted
from pipeline.models.layout import in_a_row


def causal(mask: Bool[Tensor, "sequences longest"]) -> Bool[Tensor, "sequences longest longest"]:
    """May position i (row) attend to j: j is real and not after i."""
    longest = mask.shape[1]
    return torch.ones(longest, longest, dtype=torch.bool, device=mask.device).tril() & mask[:, None]


def bias_of(mask: Bool[Tensor, "..."], dtype: torch.dtype) -> Float[Tensor, "..."]:
    """0 where `mask` allows, minus infinity where it does not."""
    zeros = torch.zeros(mask.shape, dtype=dtype, device=mask.device)
    return zeros.masked_fill_(~mask, float("-inf"))


class Attend(nn.Module):
    """softmax(q k^T / sqrt(d)) v for each head, with dropout of the probabilities."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.scale = (width // heads) ** -0.5
        self.dropout = Dropout(dropout)

    def forward(
        self,
        queries: Float[Tensor, "sequences heads targets width"],
        keys: Float[Tensor, "sequences groups positions width"],
        values: Float[Tensor, "sequences groups positions width"],
        bias: Float[Tensor, "sequences ... positions"],
        row_keys: Int[Tensor, "sequences targets"] | None,
    ) -> tuple[
        Float[Tensor, "sequences heads targets width"],
        Float[Tensor, "sequences heads targets positions"],
    ]:
        """Contexts and probabilities; `row_keys` is a key for each query, None in evaluation."""
        mask = self._mask(row_keys, keys.shape[2], queries.dtype)
        if not torch.is_grad_enabled():
            return _attended(queries, keys, values, bias, mask, self.scale)
        result: tuple[Tensor, Tensor] = Product.apply(  # pyright: ignore[reportAssignmentType]
            queries, keys, values, bias, mask, self.scale
        )
        return result

    def _mask(
        self, keys: Int[Tensor, "sequences targets"] | None, positions: int, dtype: torch.dtype
    ) -> Float[Tensor, "sequences heads targets positions"] | None:
        """The dropout's mask, scaled: a row is a query and a head, a channel the key's position."""
        if keys is None or self.dropout.rate == 0:
            return None
        heads = torch.arange(self.heads, device=keys.device)[:, None]
        mask = self.dropout.mask(salted(keys[:, None], heads), positions, dtype)
        return None if mask is None else mask * self.dropout.scale


class Product(torch.autograd.Function):
    """Attention over padded heads: contexts, and the probabilities before dropout."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        queries: Tensor,
        keys: Tensor,
        values: Tensor,
        bias: Tensor,
        mask: Tensor | None,
        scale: float,
    ) -> tuple[Tensor, Tensor]:
        """(contexts, probabilities)"""
        contexts, weights = _attended(queries, keys, values, bias, mask, scale)
        ctx.save_for_backward(queries, keys, values, weights)
        ctx.mask, ctx.scale = mask, scale  # pyright: ignore[reportAttributeAccessIssue]
        ctx.set_materialize_grads(False)
        return contexts, weights

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        """To queries, keys and values; probabilities may have a slope of their own (copying)."""
        queries, keys, values, weights = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        mask: Tensor | None = ctx.mask  # pyright: ignore[reportAttributeAccessIssue]
        scale: float = ctx.scale  # pyright: ignore[reportAttributeAccessIssue]
        by_context, by_returned = gradients
        assert by_context is not None
        dropped = weights if mask is None else weights * mask
        groups = keys.shape[1]
        by_context = _grouped(by_context, groups)
        by_queries, by_keys, by_values = in_a_row(queries, keys, values)
        _product(_grouped(dropped, groups).transpose(2, 3), by_context, by_values)
        by_weights = torch.matmul(by_context, values.transpose(2, 3)).view(weights.shape)
        if mask is not None:
            by_weights *= mask
        if by_returned is not None:
            by_weights += by_returned
        by_scores = torch.ops.aten._softmax_backward_data(by_weights, weights, 3, weights.dtype)
        by_scores *= scale
        by_scores = _grouped(by_scores, groups)
        _product(by_scores, keys, _grouped(by_queries, groups))
        _product(by_scores.transpose(2, 3), _grouped(queries, groups), by_keys)
        return by_queries, by_keys, by_values, None, None, None


def _attended(
    queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, mask: Tensor | None, scale: float
) -> tuple[Tensor, Tensor]:
    """Contexts, and the probabilities before dropout."""
    groups = keys.shape[1]
    scores = torch.matmul(_grouped(queries, groups), keys.transpose(2, 3))
    scores = scores.view(*queries.shape[:3], -1)
    weights = torch.softmax(torch.add(bias, scores, alpha=scale), dim=-1)
    dropped = weights if mask is None else weights * mask
    return torch.matmul(_grouped(dropped, groups), values).view(queries.shape), weights


def _product(left: Tensor, right: Tensor, out: Tensor) -> None:
    """A batched product, written where it is wanted."""
    torch.bmm(left.flatten(0, 1), right.flatten(0, 1), out=out.view(-1, *out.shape[2:]))


def _grouped(
    rows: Float[Tensor, "sequences heads targets width"], groups: int
) -> Float[Tensor, "sequences groups heads_targets width"]:
    """The rows of all heads that share keys, one head after the other."""
    return rows.reshape(rows.shape[0], groups, -1, rows.shape[3])
