"""The Transformer's encoder (Vaswani et al. 2017), norms before sublayers (Xiong et al. 2020)."""

from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.feedforward import FeedForward
from pipeline.models.layout import Layout
from pipeline.models.linear import Norm
from pipeline.models.multihead import SelfAttention, bias_of
from pipeline.models.parts import Encoder, EncoderSettings, Examples
from pipeline.models.positions import check_heads, sinusoids
from pipeline.models.seam import Memory, Vectors


class TransformerEncoderSettings(EncoderSettings):
    """Layers of self-attention and a position-wise network."""

    layers: int = Field(3, ge=1)
    """Blocks on top of each other."""
    heads: int = Field(4, ge=1)
    """Attention heads; they divide the model's width."""
    feedforward: int = Field(1024, ge=1)
    """Channels inside the position-wise network."""
    dropout: float = Field(0.1, ge=0, lt=1)
    """Rate on the inputs and on what each sublayer adds."""
    attention_dropout: float = Field(0.0, ge=0, lt=1)
    """Rate on attention probabilities."""
    feedforward_dropout: float = Field(0.0, ge=0, lt=1)
    """Rate inside the position-wise network."""

    def check(self, width: int) -> None:
        """Heads divide the width, which is even (sines and cosines)."""
        check_heads("encoder", width, self.heads)

    def longest(self) -> int | None:
        """Any number: sines and cosines never end."""

    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""
        return TransformerEncoder(self, width)


class TransformerEncoder(Encoder):
    """Blocks over flat positions, and a last norm. The summary is the mean of the states."""

    def __init__(self, settings: TransformerEncoderSettings, width: int) -> None:
        super().__init__()
        self.dropout = Dropout(settings.dropout)
        self.blocks = nn.ModuleList([EncoderBlock(settings, width) for _ in range(settings.layers)])
        self.norm = Norm(width)

    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States in the layout of the vectors."""
        layout, values = vectors.layout, vectors.values
        keys = position_keys(examples, layout)
        padded_keys = None if keys is None else layout.pad(keys)
        bias = bias_of(layout.mask, values.dtype)[:, None, None]  # [N, 1, 1, T]
        values = values + sinusoids(layout.position, layout.longest, values.shape[1], values.dtype)
        values = self.dropout(values, keys)
        for block in self.blocks:
            values = block(values, layout, bias, keys, padded_keys)
        states = self.norm(values)
        return Memory(states, layout, mean(states, layout), vectors.ids)


def mean(
    states: Float[Tensor, "positions width"], layout: Layout
) -> Float[Tensor, "sources width"]:
    """The mean of each source's states."""
    return layout.pad(states).sum(1) / layout.device_lengths[:, None].to(states.dtype)


class EncoderBlock(nn.Module):
    """x + attention(norm(x)), then x + network(norm(x))."""

    def __init__(self, settings: TransformerEncoderSettings, width: int) -> None:
        super().__init__()
        self.attention_norm = Norm(width)
        self.attention = SelfAttention(width, settings.heads, settings.attention_dropout)
        self.attention_dropout = Dropout(settings.dropout)
        self.network_norm = Norm(width)
        self.network = FeedForward(width, settings.feedforward, settings.feedforward_dropout)
        self.network_dropout = Dropout(settings.dropout)

    def forward(
        self,
        values: Float[Tensor, "positions width"],
        layout: Layout,
        bias: Float[Tensor, "sequences one one longest"],
        keys: Int[Tensor, " positions"] | None,
        padded_keys: Int[Tensor, "sequences longest"] | None,
    ) -> Float[Tensor, "positions width"]:
        """One block."""
        added = self.attention(self.attention_norm(values), layout, bias, padded_keys)
        values = self.attention_dropout.add(values, added, keys)
        added = self.network(self.network_norm(values), keys)
        return self.network_dropout.add(values, added, keys)
