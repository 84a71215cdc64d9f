"""Where a vector stands in its sequence, told to a Transformer by sines and cosines."""

import functools

import torch
from jaxtyping import Float, Int
from torch import Tensor


def check_heads(part: str, width: int, heads: int) -> None:
    """Raise ValueError where the heads do not share the width, or sines and cosines cannot."""
    if width % heads:
        raise ValueError(f"{part}.heads: {heads} heads do not divide the width {width}")
    if width % 2:
        raise ValueError(f"width: {width} is odd; a transformer needs an even width")


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
