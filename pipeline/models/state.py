"""The state of a decoder between two steps of a search.

`fixed` belongs to sources (keys, values, masks, source ids), `moving` to hypotheses. `cache` grows
by one row a step; it lies time first, so that appending touches one row and selecting moves only
the part that is filled.
"""

import torch
from jaxtyping import Float, Int, Shaped
from torch import Tensor

ROOM = 16  # steps that a new cache has room for beyond what it holds


class DecoderState:
    """Fixed and moving tensors by name, and a cache of `entries` vectors a step. Used once."""

    def __init__(
        self,
        *,
        fixed: dict[str, Shaped[Tensor, "sources ..."]],
        moving: dict[str, Shaped[Tensor, "sources beams ..."]],
        sources: int,
        cache: Float[Tensor, "capacity entries hypotheses width"] | None = None,
    ) -> None:
        self.fixed = fixed
        self.moving = moving
        self.sources = sources
        self.beams = 1
        self.steps = 0
        self.cache = cache
        self.attention = False
        self._spent = False

    def spend(self) -> None:
        """A state is used by one `step` or `select`: the cache is written in place."""
        assert not self._spent, "a state was used twice: keep the one that the step returned"
        self._spent = True

    def append(self, entry: int, vectors: Float[Tensor, "hypotheses width"]) -> None:
        """Put this step's vectors of one entry into the cache."""
        assert self.cache is not None
        if self.steps == len(self.cache):
            room = self.cache.new_empty(max(ROOM, self.steps), *self.cache.shape[1:])
            self.cache = torch.cat([self.cache, room])
        self.cache[self.steps, entry] = vectors

    def filled(self, entry: int) -> Float[Tensor, "steps hypotheses width"]:
        """What the cache holds of one entry, this step's vectors included."""
        assert self.cache is not None
        return self.cache[: self.steps + 1, entry]

    def after(self, moving: dict[str, Tensor]) -> "DecoderState":
        """The state that follows this one, one step on."""
        return self._copy(self.fixed, moving, self.cache, self.sources, self.beams, self.steps + 1)

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "DecoderState":
        """These sources (None: all, and nothing fixed moves), and these beams of each."""
        self.spend()
        kept, width = beams.shape
        base = torch.arange(self.sources, device=beams.device) if sources is None else sources
        rows = (base[:, None] * self.beams + beams).reshape(-1)
        fixed = self.fixed
        if sources is not None:
            fixed = {name: value.index_select(0, sources) for name, value in fixed.items()}
        moving = {
            name: value.flatten(0, 1).index_select(0, rows).unflatten(0, (kept, width))
            for name, value in self.moving.items()
        }
        return self._copy(fixed, moving, self._gather(rows), kept, width, self.steps)

    def _gather(self, rows: Int[Tensor, " hypotheses"]) -> Tensor | None:
        """The filled part of the cache for these hypotheses, with room for what follows."""
        if self.cache is None:
            return None
        shape = (self.steps + ROOM, self.cache.shape[1], len(rows), self.cache.shape[3])
        cache = self.cache.new_empty(shape)
        torch.index_select(self.cache[: self.steps], 2, rows, out=cache[: self.steps])
        return cache

    def _copy(
        self,
        fixed: dict[str, Tensor],
        moving: dict[str, Tensor],
        cache: Tensor | None,
        sources: int,
        beams: int,
        steps: int,
    ) -> "DecoderState":
        state = DecoderState(fixed=fixed, moving=moving, sources=sources, cache=cache)
        state.beams, state.steps, state.attention = beams, steps, self.attention
        return state
