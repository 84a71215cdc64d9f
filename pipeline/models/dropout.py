"""The example's own randomness: a mask is a pure function of what it belongs to.

Every bit is an integer hash of (seed, step, index in the group, site, position, channel). So a
group may be cut into slots, padded, permuted or spread over workers in any way, and the same
numbers are dropped; no generator is read, neither the global one nor another.

The hash of a position is 64 bits, mixed as in MurmurHash3's finaliser; a channel then takes
x = a·key + b and x + 2x² (a permutation of the 32-bit integers, as in RC6) and compares.
"""

import functools
import zlib

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

from pipeline.models.layout import Layout
from pipeline.models.seam import Chance

Keys = Int[Tensor, "..."]  # one 64-bit key for each row of what is masked

# Odd constants of splitmix64 and MurmurHash3, as signed 64-bit integers.
GOLDEN = -7046029254386353131
FIRST = -49064778989728563
SECOND = -4265267296055464877


def mix(keys: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """A permutation of the 64-bit integers under which neighbours have nothing in common."""
    keys = (keys ^ ((keys >> 33) & 0x7FFFFFFF)) * FIRST
    keys = (keys ^ ((keys >> 33) & 0x7FFFFFFF)) * SECOND
    return keys ^ ((keys >> 33) & 0x7FFFFFFF)


def salted(keys: Int[Tensor, "..."], salt: Int[Tensor, "..."] | int) -> Int[Tensor, "..."]:
    """Keys that depend on `salt` too; either may be broadcast."""
    step = GOLDEN * (salt + 1)
    return mix(keys + (_wrapped(step) if isinstance(step, int) else step))


def _wrapped(number: int) -> int:
    """A Python integer as a signed 64-bit one, as tensors wrap around."""
    return (number + 2**63) % 2**64 - 2**63


def example_keys(
    chance: Chance | None, index: Int[Tensor, " sequences"]
) -> Int[Tensor, " sequences"] | None:
    """One key for each example of a step, from its index in the group; None in evaluation."""
    if chance is None:
        return None
    key = torch.tensor(_wrapped(chance.seed), dtype=torch.int64, device=index.device)
    return salted(salted(mix(key), chance.step), index)


def position_keys(
    examples: Int[Tensor, " sequences"] | None, layout: Layout
) -> Int[Tensor, " positions"] | None:
    """One key for each position; where it lies among padding or neighbours does not matter."""
    if examples is None:
        return None
    return salted(examples[layout.sequence], layout.position)


def site(name: str) -> int:
    """The number of a place in the model where something is dropped, from its qualified name."""
    return zlib.crc32(name.encode())


@functools.lru_cache(maxsize=256)
def channel_constants(channels: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """An odd factor and a summand (int32) for each channel, the same for any number of channels."""
    numbers = mix(torch.arange(1, channels + 1, device=device) * GOLDEN)
    return (numbers >> 32).to(torch.int32) | 1, numbers.to(torch.int32)


def kept(keys: Keys, channels: int, rate: float) -> Tensor:
    """Which channels of each row stay: bool `[*keys.shape, channels]`, True with 1 - rate."""
    factor, summand = channel_constants(channels, keys.device)
    hashed = torch.addcmul(summand, (keys >> 32).to(torch.int32).unsqueeze(-1), factor)
    hashed.addcmul_(hashed, hashed, value=2)
    return hashed >= round(rate * 2**32) - 2**31


class Dropout(nn.Module):
    """Zeroes a share `rate` of the channels of every row and scales the rest by 1 / (1 - rate).

    Srivastava et al. 2014. `number` names the site; the model sets it from the module's name.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.number = 0

    def forward(
        self, vectors: Float[Tensor, "... channels"], keys: Keys | None
    ) -> Float[Tensor, "... channels"]:
        """`keys` has one key for each row; without keys nothing is dropped."""
        if keys is None or self.rate == 0:
            return vectors
        mask = kept(salted(keys, self.number), vectors.shape[-1], self.rate)
        result: Tensor = _Drop.apply(vectors, mask, 1 / (1 - self.rate))  # pyright: ignore[reportAssignmentType]
        return result


class _Drop(torch.autograd.Function):
    """Zero and scale; the mask is kept for the way back, a byte an element."""

    @staticmethod
    def forward(ctx: FunctionCtx, vectors: Tensor, mask: Tensor, scale: float) -> Tensor:
        drop = ~mask
        ctx.save_for_backward(drop)
        ctx.scale = scale  # pyright: ignore[reportAttributeAccessIssue]
        return (vectors * scale).masked_fill_(drop, 0)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (drop,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        scale: float = ctx.scale  # pyright: ignore[reportAttributeAccessIssue]
        return (gradients[0] * scale).masked_fill_(drop, 0), None, None
