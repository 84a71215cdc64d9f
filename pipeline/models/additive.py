"""Additive attention (Bahdanau et al. 2015): score(q, k) = v · tanh(q + k).

The sums q + k exist for a few sources at a time only, and are made again on the way back: they
would be the largest tensor of the model, and this way they stay in the processor's cache.
"""

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.weights import Weighted

CHUNK = 2**18  # elements of q + k that exist at the same time, unless one source alone has more


class AdditiveAttention(Weighted):
    """Queries and keys are projected to `inner` channels; values are the memory's states."""

    def __init__(self, query_width: int, memory_width: int, inner: int) -> None:
        super().__init__()
        self.query = Linear(query_width, inner, bias=False)
        self.key = Linear(memory_width, inner)
        self.energy = nn.Parameter(torch.empty(inner))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Uniform, so that scores start with variance about 1/3 of their inputs'."""
        bound = (3 / len(self.energy)) ** 0.5
        self.energy.uniform_(-bound, bound, generator=draw("energy"))

    def keys(
        self, states: Float[Tensor, "positions width"], layout: Layout
    ) -> Float[Tensor, "sources longest inner"]:
        """Projected keys of a memory, padded."""
        return layout.pad(self.key(states))

    def forward(
        self,
        queries: Float[Tensor, "sources targets width"],
        keys: Float[Tensor, "sources longest inner"],
        values: Float[Tensor, "sources longest width"],
        bias: Float[Tensor, "sources ... longest"] | None,
    ) -> tuple[Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"]]:
        """Contexts and weights; `bias` is minus infinity at padding."""
        scores: Tensor = Scores.apply(  # pyright: ignore[reportAssignmentType]
            self.query(queries), keys, self.energy
        )
        weights = torch.softmax(scores if bias is None else scores + bias, dim=-1)
        weights = weights.to(values.dtype)
        return torch.bmm(weights, values), weights


class Scores(torch.autograd.Function):
    """v · tanh(q + k) for every pair of a source's queries and keys, in the type of v."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        queries: Float[Tensor, "sources targets inner"],
        keys: Float[Tensor, "sources longest inner"],
        energy: Float[Tensor, " inner"],
    ) -> Float[Tensor, "sources targets longest"]:
        """Chunk by chunk of sources."""
        ctx.save_for_backward(queries, keys, energy)
        shape = (*queries.shape[:2], keys.shape[1])
        scores = energy.new_empty(shape)
        for part in _parts(shape, len(energy)):
            scores[part] = _tanh(queries[part], keys[part], energy.dtype) @ energy
        return scores

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """tanh is computed again; its slope is 1 - tanh²."""
        queries, keys, energy = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        query_slope, key_slope = torch.empty_like(queries), torch.empty_like(keys)
        energy_slope = torch.zeros_like(energy)
        for part in _parts(gradients[0].shape, len(energy)):
            slope = gradients[0][part]
            tanh = _tanh(queries[part], keys[part], energy.dtype)
            energy_slope += slope.flatten() @ tanh.flatten(0, 2)
            inner = tanh.square_().neg_().add_(1).mul_(energy).mul_(slope[..., None])
            query_slope[part] = inner.sum(2)
            key_slope[part] = inner.sum(1)
        return query_slope, key_slope, energy_slope


def _parts(shape: tuple[int, ...], inner: int) -> Iterator[slice]:
    """Slices of sources so that one has about CHUNK elements."""
    sources, targets, longest = shape
    many = max(1, CHUNK // max(1, targets * longest * inner))
    return (slice(start, start + many) for start in range(0, sources, many))


def _tanh(queries: Tensor, keys: Tensor, dtype: torch.dtype) -> Tensor:
    """tanh of all sums, through the sigmoid, which is the faster function on a CPU."""
    sums = queries.to(dtype)[:, :, None] + keys.to(dtype)[:, None]
    return sums.mul_(2).sigmoid_().mul_(2).sub_(1)
