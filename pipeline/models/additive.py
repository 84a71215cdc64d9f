"""Additive attention (Bahdanau et al. 2015): score(q, k) = v · tanh(q + k).

With coverage (See et al. 2017; Tu et al. 2016) score(q, k, c) = v · tanh(q + k + c w), where c is
how much the position was attended to so far.

The sums q + k exist for a few sources at a time only, and are made again on the way back: they
would be the largest tensor of the model, and this way they stay in the processor's cache.
"""

from collections.abc import Callable, Iterator
from typing import ClassVar

import torch
from jaxtyping import Float
from pydantic import PositiveInt
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.attention import Attention, AttentionSettings, Fixed, looked, memory_values
from pipeline.models.linear import Linear
from pipeline.models.seam import Memory
from pipeline.models.weights import Weighted

CHUNK = 2**18  # elements of q + k that exist at the same time, unless one source alone has more


Past = tuple[Tensor, Tensor]  # how much each position was attended to so far, and what it weighs


class Additive(AttentionSettings):
    """A small network scores each pair of a decoder's state and a memory's state."""

    attends: ClassVar[bool] = True

    attention_units: PositiveInt = 256
    """Channels inside the score."""
    coverage: bool = False
    """Tell the score how much a position was attended to so far: less is said twice or left out.
    Training then walks the target step by step, which takes about a third longer on a CPU."""

    def check(self, units: int, width: int) -> None:
        """Any numbers do: both sides are projected."""

    def build(self, units: int, width: int) -> Attention:
        """The attention with weights that are not yet filled."""
        return AdditiveAttention(self, units, width)


class AdditiveAttention(Attention, Weighted):
    """Queries and keys are projected to the inner channels; values are the memory's states."""

    def __init__(self, settings: Additive, units: int, width: int) -> None:
        super().__init__()
        inner = settings.attention_units
        self.remembers = settings.coverage
        self.query = Linear(units, inner, bias=False)
        self.key = Linear(width, inner)
        self.energy = nn.Parameter(torch.empty(inner))
        self.history = nn.Parameter(torch.empty(inner)) if settings.coverage else None

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Uniform, so that scores start with variance about 1/3 of their inputs'."""
        bound = (3 / len(self.energy)) ** 0.5
        self.energy.uniform_(-bound, bound, generator=draw("energy"))
        if self.history is not None:
            self.history.uniform_(-bound, bound, generator=draw("history"))

    def fixed(self, memory: Memory) -> Fixed:
        """The states, and their projections, padded."""
        return {**memory_values(memory), "keys": memory.layout.pad(self.key(memory.states))}

    def forward(
        self,
        queries: Float[Tensor, "sources targets units"],
        fixed: Fixed,
        coverage: Float[Tensor, "sources targets longest"] | None,
    ) -> tuple[Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"]]:
        """Contexts and weights."""
        scores: Tensor = Scores.apply(  # pyright: ignore[reportAssignmentType]
            self.query(queries), fixed["keys"], self.energy, coverage, self.history
        )
        return looked(scores, fixed)


class Scores(torch.autograd.Function):
    """v · tanh(q + k + c w) for every pair of a source's queries and keys, in the type of v."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        queries: Float[Tensor, "sources targets inner"],
        keys: Float[Tensor, "sources longest inner"],
        energy: Float[Tensor, " inner"],
        coverage: Float[Tensor, "sources targets longest"] | None,
        history: Float[Tensor, " inner"] | None,
    ) -> Float[Tensor, "sources targets longest"]:
        """Chunk by chunk of sources."""
        ctx.save_for_backward(queries, keys, energy, coverage, history)  # pyright: ignore[reportArgumentType]
        past = _past(coverage, history)
        shape = (*queries.shape[:2], keys.shape[1])
        scores = energy.new_empty(shape)
        for part in _parts(shape, len(energy)):
            scores[part] = _tanh(part, queries, keys, energy.dtype, past) @ energy
        return scores

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """tanh is computed again; its slope is 1 - tanh²."""
        queries, keys, energy, coverage, history = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        query_slope, key_slope = torch.empty_like(queries), torch.empty_like(keys)
        energy_slope = torch.zeros_like(energy)
        past = _past(coverage, history)
        past_slope = (
            None if past is None else (torch.empty_like(past[0]), torch.zeros_like(past[1]))
        )
        for part in _parts(gradients[0].shape, len(energy)):
            slope = gradients[0][part]
            tanh = _tanh(part, queries, keys, energy.dtype, past)
            energy_slope += slope.flatten() @ tanh.flatten(0, 2)
            inner = tanh.square_().neg_().add_(1).mul_(energy).mul_(slope[..., None])
            query_slope[part] = inner.sum(2)
            key_slope[part] = inner.sum(1)
            if past is not None and past_slope is not None:
                past_slope[0][part] = inner @ past[1]
                past_slope[1].add_(past[0][part].flatten() @ inner.flatten(0, 2))
        return query_slope, key_slope, energy_slope, *(past_slope or (None, None))


def _past(coverage: Tensor | None, history: Tensor | None) -> Past | None:
    """Both, or nothing."""
    return None if coverage is None or history is None else (coverage, history)


def _parts(shape: tuple[int, ...], inner: int) -> Iterator[slice]:
    """Slices of sources so that one has about CHUNK elements."""
    sources, targets, longest = shape
    many = max(1, CHUNK // max(1, targets * longest * inner))
    return (slice(start, start + many) for start in range(0, sources, many))


def _tanh(
    part: slice, queries: Tensor, keys: Tensor, dtype: torch.dtype, past: Past | None
) -> Tensor:
    """tanh of all sums, through the sigmoid, which is the faster function on a CPU."""
    sums = queries[part].to(dtype)[:, :, None] + keys[part].to(dtype)[:, None]
    if past is not None:
        sums.addcmul_(past[0][part][..., None], past[1])
    return sums.mul_(2).sigmoid_().mul_(2).sub_(1)
