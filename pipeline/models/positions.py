"""Where a vector stands in its sequence, told to a Transformer in one of three ways.

Sines and cosines, or a learned vector, are added to what comes in; a rotary position turns queries
and keys inside each self-attention, so that scores depend on distances alone.
"""

import functools
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.models.weights import Weighted
from pipeline.problems import Problem


class Turns(NamedTuple):
    """Cosines and sines of the angles by which queries and keys are turned, float32 at least."""

    cos: Float[Tensor, "places half"]
    sin: Float[Tensor, "places half"]


class Positions(nn.Module, ABC):
    """A way to tell positions; they are below `longest`, which the host knows unasked."""

    @abstractmethod
    def add(
        self,
        vectors: Float[Tensor, "*places width"],
        position: Int[Tensor, " positions"],
        longest: int,
    ) -> Float[Tensor, "*places width"]:
        """The vectors with what tells their positions."""

    @abstractmethod
    def turns(
        self, position: Int[Tensor, " positions"], longest: int, dtype: torch.dtype
    ) -> Turns | None:
        """By how much queries and keys are turned; None: not at all."""


class Sinusoidal(Positions):
    """Adds sines and cosines of all frequencies (Vaswani et al. 2017, 3.5): any position."""

    def add(
        self,
        vectors: Float[Tensor, "*places width"],
        position: Int[Tensor, " positions"],
        longest: int,
    ) -> Float[Tensor, "*places width"]:
        """Vectors and sinusoids, each of variance about 1."""
        return vectors + sinusoids(position, longest, vectors.shape[-1], vectors.dtype)

    def turns(
        self, position: Int[Tensor, " positions"], longest: int, dtype: torch.dtype
    ) -> Turns | None:
        """None."""


class Learned(Weighted, Positions):
    """Adds a vector of its own for each of the first `max_positions` (Gehring et al. 2017)."""

    def __init__(self, part: str, max_positions: int, width: int) -> None:
        super().__init__()
        self.part = part
        self.weight = nn.Parameter(torch.empty(max_positions, width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """As strong as sines and cosines, whose mean square is a half."""
        self.weight.normal_(0, 0.5**0.5, generator=draw("weight"))

    def add(
        self,
        vectors: Float[Tensor, "*places width"],
        position: Int[Tensor, " positions"],
        longest: int,
    ) -> Float[Tensor, "*places width"]:
        """A Problem where a sequence goes on past the last position."""
        if longest > len(self.weight):
            raise Problem(
                f"a sequence is longer than the {len(self.weight)} learned positions",
                where=f"params.yaml, model.{self.part}.max_positions",
                value=longest,
                remedy="shorten it (encoding.max_source_pieces and max_target_pieces, or the"
                " limits of decoding.search), or raise max_positions and train again",
            )
        return vectors + nn.functional.embedding(position, self.weight).to(vectors.dtype)

    def turns(
        self, position: Int[Tensor, " positions"], longest: int, dtype: torch.dtype
    ) -> Turns | None:
        """None."""


class Rotary(Positions):
    """Adds nothing; turns queries and keys (Su et al. 2021, arXiv 2104.09864): any position."""

    def __init__(self, head_width: int) -> None:
        super().__init__()
        self.head_width = head_width

    def add(
        self,
        vectors: Float[Tensor, "*places width"],
        position: Int[Tensor, " positions"],
        longest: int,
    ) -> Float[Tensor, "*places width"]:
        """As they are."""
        return vectors

    def turns(
        self, position: Int[Tensor, " positions"], longest: int, dtype: torch.dtype
    ) -> Turns | None:
        """The angles of the sinusoids: position / 10000^(2i / head's width)."""
        wide = torch.promote_types(dtype, torch.float32)
        waves = sinusoids(position, longest, self.head_width, wide)
        return Turns(waves[:, 1::2], waves[:, 0::2])


def turned(
    heads: Float[Tensor, "... places width"], turns: Turns
) -> Float[Tensor, "... places width"]:
    """Channels i and i + width / 2 as a point of the plane, turned about 0.

    The paper pairs neighbours: the same, but for the order of a head's channels.
    """
    first, second = heads.chunk(2, dim=-1)
    cos, sin = turns
    return torch.cat([first * cos - second * sin, second * cos + first * sin], -1).to(heads.dtype)


@functools.lru_cache(maxsize=8)
def _frequencies(width: int, device: torch.device) -> Float[Tensor, " half"]:
    """10000^(-2i / width), in float64."""
    half = torch.arange(0, width, 2, dtype=torch.float64, device=device)
    return torch.exp(half * (-9.210340371976184 / width))  # ln 10000


def sinusoids(
    position: Int[Tensor, "*places"], longest: int, width: int, dtype: torch.dtype
) -> Float[Tensor, "*places width"]:
    """sin and cos of position / 10000^(2i / width), side by side (Vaswani et al. 2017, 3.5).

    Positions are below `longest`, which the host knows without asking the device.
    """
    return _table(-(-longest // 64) * 64, width, dtype, position.device)[position]


@functools.lru_cache(maxsize=32)
def _table(
    rows: int, width: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "rows width"]:
    """Sinusoids of the positions 0 … rows - 1."""
    angles = torch.arange(rows, dtype=torch.float64, device=device)[:, None] * _frequencies(
        width, device
    )
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(dtype)
