"""The example's own randomness: a mask is a pure function of what it belongs to.

Every bit is an integer hash of (seed, step, index in the group, site, position, channel). So a
group may be cut into slots, padded, permuted or spread over workers in any way, and the same
numbers are dropped; no generator is read, neither the global one nor another.

The hash of a position is 64 bits, mixed as in MurmurHash3's finaliser; two channels then share
x = a·key + b and x + 2x² (a permutation of the 32-bit integers, as in RC6), 16 bits each. Masks are
made and used as numbers, never as booleans, whose kernels are several times slower on a CPU.
"""

import functools
import zlib
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
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
    return mix(keys + (_salt(salt) if isinstance(salt, int) else GOLDEN * (salt + 1)))


def _salt(number: int) -> int:
    """What a number adds to keys."""
    return _wrapped(GOLDEN * (number + 1))


def _wrapped(number: int) -> int:
    """A Python integer as a signed 64-bit one, as tensors wrap around."""
    return (number + 2**63) % 2**64 - 2**63


@dataclass(frozen=True, slots=True, eq=False)
class ExampleKeys:
    """One key for each example of a step, and the step itself, which the host knows."""

    keys: Int[Tensor, " sequences"]
    chance: Chance


def example_keys(chance: Chance | None, index: Int[Tensor, " sequences"]) -> ExampleKeys | None:
    """The keys of a step's examples, from their index in the group; None in evaluation."""
    if chance is None:
        return None
    return ExampleKeys(salted(step_key(chance, index.device), index), chance)


def step_key(chance: Chance, device: torch.device) -> Int[Tensor, ""]:
    """What all examples of a step share; the host works it out, and does not wait for its way."""
    key = salted(mix(torch.tensor(_wrapped(chance.seed), dtype=torch.int64)), chance.step)
    key = salted(key, chance.turn) if chance.turn else key
    return key.to(device, non_blocking=True)


def position_keys(examples: ExampleKeys | None, layout: Layout) -> Int[Tensor, " positions"] | None:
    """One key for each position; where it lies among padding or neighbours does not matter."""
    if examples is None:
        return None
    return salted(examples.keys[layout.sequence], layout.position)


def site(name: str) -> int:
    """The number of a place in the model where something is dropped, from its qualified name."""
    return zlib.crc32(name.encode())


@functools.lru_cache(maxsize=256)
def channel_constants(pairs: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """An odd factor and a summand (int32) for each pair, the same for any number of pairs."""
    numbers = mix(torch.arange(1, pairs + 1, device=device) * GOLDEN)
    return (numbers >> 32).to(torch.int32) | 1, numbers.to(torch.int32)


def fixed_constants(pairs: int, device: torch.device) -> Int[Tensor, "two pairs"]:
    """The same, stacked: what `compiled.py` has compilers take as it is, and not make each time."""
    return torch.stack(channel_constants(pairs, device))


def hashed(keys: Keys, channels: int) -> Int[Tensor, "... channels"]:
    """16 random bits (int16) for each channel of each row."""
    pairs = -(-channels // 2)
    rows = (keys >> 32).to(torch.int32).unsqueeze(-1)
    if torch.compiler.is_compiling():
        return _fused(rows, fixed_constants(pairs, keys.device))[..., :channels]
    factor, summand = channel_constants(pairs, keys.device)
    bits = torch.addcmul(summand, rows, factor)
    bits.addcmul_(bits, bits, value=2)
    bits ^= (bits >> 16).bitwise_and_(0xFFFF)  # the low half of a product is the weaker one
    return bits.view(torch.int16)[..., :channels]


def _fused(rows: Tensor, constants: Tensor) -> Tensor:
    """The same bits, as int32, by what a compiler fuses: no look at a number as two halves, and no
    conversion to fewer bits, which it rounds to the nearest on some processors."""
    factor, summand = constants.unbind()
    bits = summand + rows * factor
    bits = bits + 2 * bits * bits
    bits = bits ^ ((bits >> 16) & 0xFFFF)
    up = torch.arange(16, -1, -16, dtype=torch.int32, device=bits.device)  # the low half, the high
    return ((bits.unsqueeze(-1) << up) >> 16).flatten(-2)


def drawn(keys: Keys, rate: float) -> Bool[Tensor, "..."]:
    """True with probability `rate`, by 24 bits of each key; 0 is never, 1 is always."""
    return ((keys >> 40) & 0xFFFFFF) < round(rate * 2**24)


def quantised(rate: float) -> int:
    """The rate in 65,536ths."""
    return round(rate * 2**16)


def kept(
    keys: Keys, channels: int, rate: float, dtype: torch.dtype
) -> Float[Tensor, "... channels"]:
    """1 where a channel stays, 0 (with probability `rate`) where it is dropped."""
    if torch.compiler.is_compiling():
        return (hashed(keys, channels) >= quantised(rate) - 2**15).to(dtype)
    stays = hashed(keys, channels).ge_(quantised(rate) - 2**15)
    if dtype == torch.bfloat16:
        return stays.mul_(0x3F80).view(dtype)  # the bits of 1.0: cheaper than a conversion
    return stays.to(dtype)


class Dropout(nn.Module):
    """Zeroes a share `rate` of the channels of every row and scales the rest by 1 / (1 - rate).

    Srivastava et al. 2014. `number` names the site; the model sets it from the module's name.
    """

    salt: Tensor  # what the number adds to keys: a tensor, so that all sites share compiled code

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate
        self.register_buffer("salt", torch.tensor(_salt(0)), persistent=False)
        self.number = 0
        self.scale = 2**16 / (2**16 - quantised(rate))

    @property
    def number(self) -> int:
        """The site's."""
        return self._number

    @number.setter
    def number(self, number: int) -> None:
        self._number = number
        self.salt.fill_(_salt(number))

    def mask(
        self, keys: Keys | None, channels: int, dtype: torch.dtype
    ) -> Float[Tensor, "... channels"] | None:
        """1 and 0 for each row's channels; None where nothing is dropped."""
        if keys is None or self.rate == 0:
            return None
        return kept(mix(keys + self.salt), channels, self.rate, dtype)

    def forward(
        self, vectors: Float[Tensor, "... channels"], keys: Keys | None
    ) -> Float[Tensor, "... channels"]:
        """`keys` has one key for each row; without keys nothing is dropped."""
        mask = self.mask(keys, vectors.shape[-1], vectors.dtype)
        return (
            vectors if mask is None else _scaled(vectors.new_zeros(()), vectors, mask, self.scale)
        )

    def add(
        self,
        onto: Float[Tensor, "... channels"],
        vectors: Float[Tensor, "... channels"],
        keys: Keys | None,
    ) -> Float[Tensor, "... channels"]:
        """`onto` plus what `forward` gives."""
        mask = self.mask(keys, vectors.shape[-1], vectors.dtype)
        return onto + vectors if mask is None else _scaled(onto, vectors, mask, self.scale)

    def words(
        self,
        vectors: Float[Tensor, "positions width"],
        examples: ExampleKeys | None,
        layout: Layout,
    ) -> Float[Tensor, "positions width"]:
        """Whole vectors are zeroed, not channels of them (word dropout)."""
        if examples is None or self.rate == 0:
            return vectors
        mask = self.mask(position_keys(examples, layout), 1, vectors.dtype)
        assert mask is not None
        return _scaled(vectors.new_zeros(()), vectors, mask, self.scale)

    def leaves_out(self, examples: ExampleKeys | None) -> bool:
        """Whether a whole layer is left out of this step, by all examples alike (layer drop).

        The host decides, from (seed, step, site): no device is asked, and the layer costs nothing.
        """
        if examples is None or self.rate == 0:
            return False
        key = salted(step_key(examples.chance, torch.device("cpu")), self.number)
        return kept(key, 1, self.rate, torch.float32).item() == 0


def _scaled(onto: Tensor, vectors: Tensor, mask: Tensor, scale: float) -> Tensor:
    if torch.compiler.is_compiling():  # which finds out by itself what is worth keeping
        return onto + scale * mask * vectors
    result: Tensor = _Scaled.apply(onto, vectors, mask, scale)  # pyright: ignore[reportAssignmentType]
    return result


class _Scaled(torch.autograd.Function):
    """onto + scale · mask · vectors; only the mask is kept for the way back."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, onto: Tensor, vectors: Tensor, mask: Tensor, scale: float
    ) -> Tensor:
        ctx.save_for_backward(mask)
        ctx.scale = scale  # pyright: ignore[reportAttributeAccessIssue]
        return torch.addcmul(onto, vectors, mask, value=scale)

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (mask,) = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        scale: float = ctx.scale  # pyright: ignore[reportAttributeAccessIssue]
        (gradient,) = gradients
        onto = gradient if ctx.needs_input_grad[0] else None  # pyright: ignore[reportAttributeAccessIssue]
        zero = gradient.new_zeros(())
        return onto, torch.addcmul(zero, gradient, mask, value=scale), None, None
