"""The options of a Transformer, which its encoder and decoder share; each has settings of its own.

As published (Vaswani et al. 2017): `norm_first: false`, and all else that is not a number as the
defaults have it; the base model has 6 layers, 8 heads and 2,048 channels inside, at width 512.
"""

from typing import ClassVar, Literal

from pydantic import Field
from torch import Tensor, nn

from pipeline.models.feedforward import FeedForward
from pipeline.models.fused import fits
from pipeline.models.linear import NORMS, AnyNorm
from pipeline.models.multihead import CrossAttention, SelfAttention
from pipeline.models.parts import Examples
from pipeline.models.positions import Learned, Positions, Rotary, Sinusoidal
from pipeline.problems import Problem
from pipeline.settings import Settings


class TransformerSettings(Settings):
    """Layers of attention and a position-wise network."""

    part: ClassVar[str]  # of the model, for messages

    layers: int = Field(3, ge=1)
    """Blocks on top of each other."""
    heads: int = Field(4, ge=1)
    """Attention heads; they divide the model's width."""
    key_value_heads: int | None = Field(None, ge=1)
    """Heads of keys and values, each shared by as many queries' heads (Ainslie et al. 2023); they
    divide `heads`. 1 makes a decoder's cache smallest; null: one for each."""
    feedforward: int = Field(1024, ge=1)
    """Channels inside the position-wise network."""
    activation: Literal["relu", "gelu", "swiglu"] = "relu"
    """How these are bent. swiglu (Shazeer 2020) has a third matrix: with 2/3 of the channels it has
    as many weights as the others."""
    norm: Literal["layer", "rms"] = "layer"
    """Layer norm, or its root mean square alone (Zhang & Sennrich 2019): no mean, no bias."""
    norm_first: bool = True
    """Norms before sublayers, and a last one (Xiong et al. 2020). false: after each sum, as
    published, which needs warm-up to train and fails where it is deep."""
    positions: Literal["sinusoidal", "learned", "rotary"] = "sinusoidal"
    """Sines and cosines; a vector for each position (needs `max_positions`); or queries and keys of
    self-attention turned by their positions (Su et al. 2021), so that distances count."""
    max_positions: int | None = Field(None, ge=1)
    """The longest sequence that learned positions know: an encoder counts EOS, a decoder BOS."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Rate on the inputs and on what each sublayer adds."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Rate on attention probabilities."""
    feedforward_dropout: float = Field(0.0, ge=0, lt=1)
    """Rate inside the position-wise network."""
    layer_drop: float = Field(0.0, ge=0, lt=1)
    """Rate at which a step of training leaves out a whole block (Fan et al. 2019): never a
    decoder's last one, whose attention is the model's."""

    def check(self, width: int) -> None:
        """A Problem where heads do not divide what they share, or positions lack what they need."""
        self._check_heads(width)
        if self.positions == "sinusoidal" and width % 2:
            what = f"{width} is odd; a transformer needs an even width for sines and cosines"
            remedy = f"set an even one, or model.{self.part}.positions: learned"
            raise Problem(what, where="params.yaml, model.width", value=width, remedy=remedy)
        if self.positions == "rotary" and width // self.heads % 2:
            what = f"rotary needs heads of an even width, not {width // self.heads}"
            raise self._problem("positions", self.positions, what, "change heads or model.width")
        self._check_limit()

    def _check_heads(self, width: int) -> None:
        if width % self.heads:
            what = f"{self.heads} heads do not divide the width {width}"
            remedy = f"choose one of {_divisors(width)}"
            raise self._problem("heads", self.heads, what, remedy)
        shared = self.key_value_heads
        if shared is not None and self.heads % shared:
            what = f"{shared} heads of keys and values do not divide {self.heads} heads"
            remedy = f"choose one of {_divisors(self.heads)}"
            raise self._problem("key_value_heads", shared, what, remedy)

    def _check_limit(self) -> None:
        limit = self.max_positions
        if self.positions == "learned" and limit is None:
            what = "learned positions need the longest length that occurs"
            remedy = "set it to encoding's limit and 1 for EOS"
            raise self._problem("max_positions", limit, what, remedy)
        if self.positions != "learned" and limit is not None:
            what = f"{self.positions} positions have no limit"
            remedy = "remove it, or set positions: learned"
            raise self._problem("max_positions", limit, what, remedy)

    def _problem(self, field: str, value: object, what: str, remedy: str) -> Problem:
        where = f"params.yaml, model.{self.part}.{field}"
        return Problem(what, where=where, value=value, remedy=remedy)

    def longest(self) -> int | None:
        """The most positions: a limit of learned ones alone."""
        return self.max_positions

    def fuses(self, vectors: Tensor, examples: Examples) -> bool:
        """Whether attention is fused on a GPU, for vectors that are drawn for as `examples` say."""
        draws = examples is not None and self.attention_dropout > 0
        return not draws and fits(vectors, self.heads)

    def make_positions(self, width: int) -> Positions:
        """What tells positions."""
        if self.max_positions is not None:
            return Learned(self.part, self.max_positions, width)
        return Rotary(width // self.heads) if self.positions == "rotary" else Sinusoidal()

    def make_norm(self, width: int) -> AnyNorm:
        """The norm before or after a sublayer."""
        return NORMS[self.norm](width)

    def make_last_norm(self, width: int) -> nn.Module:
        """The norm of what the last block gives, which has gone through one where it is last."""
        return self.make_norm(width) if self.norm_first else nn.Identity()

    def make_attention(self, width: int) -> SelfAttention:
        """Attention of positions to their own sequence."""
        return SelfAttention(width, self.heads, self.attention_dropout, self.key_value_heads)

    def make_cross(self, width: int) -> CrossAttention:
        """Attention to the memory."""
        return CrossAttention(width, self.heads, self.attention_dropout, self.key_value_heads)

    def make_network(self, width: int) -> FeedForward:
        """The position-wise network."""
        return FeedForward(width, self.feedforward, self.feedforward_dropout, self.activation)


def _divisors(number: int) -> str:
    """Up to 64."""
    return ", ".join(str(n) for n in range(1, min(number, 64) + 1) if number % n == 0)
