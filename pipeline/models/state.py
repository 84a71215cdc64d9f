"""The state of a decoder between two steps of a search.

`fixed` belongs to sources (keys, values, masks, source ids), `moving` to hypotheses. A `cache`
(`cache.py`) holds what self-attention looks back at.
"""

import torch
from jaxtyping import Int, Shaped
from torch import Tensor

from pipeline.models.cache import Cache


class DecoderState:
    """Fixed and moving tensors by name, and where there is self-attention a cache. Used once."""

    def __init__(
        self,
        *,
        fixed: dict[str, Shaped[Tensor, "sources ..."]],
        moving: dict[str, Shaped[Tensor, "sources beams ..."]],
        sources: int,
        cache: Cache | None = None,
    ) -> None:
        self.fixed = fixed
        self.moving = moving
        self.sources = sources
        self.beams = 1
        self.steps = 0
        self.cache = cache
        self.attention = False
        self.steady = False
        self._spent = False

    def spend(self) -> None:
        """A state is used by one `step` or `select`: the cache is written in place."""
        assert not self._spent, "a state was used twice: keep the one that the step returned"
        self._spent = True

    def after(self, moving: dict[str, Tensor], cache: Cache | None = None) -> "DecoderState":
        """The state that follows this one, one step on."""
        return self._copy(self.fixed, moving, cache, self.sources, self.beams, self.steps + 1)

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "DecoderState":
        """These sources (None: all, and nothing fixed moves), and these beams of each."""
        self.spend()
        kept, width = beams.shape
        cache = None if self.cache is None else self.cache.select(sources, beams)
        fixed = self.fixed
        if sources is not None:
            fixed = {name: value.index_select(0, sources) for name, value in fixed.items()}
        moving = self._moved(sources, beams) if self.moving else {}
        return self._copy(fixed, moving, cache, kept, width, self.steps)

    def _moved(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> dict[str, Tensor]:
        base = torch.arange(self.sources, device=beams.device) if sources is None else sources
        rows = (base[:, None] * self.beams + beams).reshape(-1)
        return {
            name: value.flatten(0, 1).index_select(0, rows).unflatten(0, beams.shape)
            for name, value in self.moving.items()
        }

    def _copy(
        self,
        fixed: dict[str, Tensor],
        moving: dict[str, Tensor],
        cache: Cache | None,
        sources: int,
        beams: int,
        steps: int,
    ) -> "DecoderState":
        state = DecoderState(fixed=fixed, moving=moving, sources=sources, cache=cache)
        state.beams, state.steps = beams, steps
        state.attention, state.steady = self.attention, self.steady
        return state
