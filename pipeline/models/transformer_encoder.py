"""The Transformer's encoder (Vaswani et al. 2017), norms before sublayers (Xiong et al. 2020) or
after."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor, nn

from pipeline.models.block import Block, Places
from pipeline.models.dropout import Dropout
from pipeline.models.layout import Layout
from pipeline.models.parts import Encoder, EncoderSettings, Examples
from pipeline.models.scaled_dot import bias_of
from pipeline.models.seam import Memory, Vectors
from pipeline.models.transformer import TransformerSettings


class TransformerEncoderSettings(TransformerSettings, EncoderSettings):
    """Layers of self-attention and a position-wise network."""

    part: ClassVar[str] = "encoder"

    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""
        return TransformerEncoder(self, width)


class TransformerEncoder(Encoder):
    """Blocks over flat positions, and a last norm. The summary is the mean of the states."""

    def __init__(self, settings: TransformerEncoderSettings, width: int) -> None:
        super().__init__()
        self.settings = settings
        self.positions = settings.make_positions(width)
        self.dropout = Dropout(settings.dropout)
        blocks = [EncoderBlock(settings, width) for _ in range(settings.layers)]
        self.stack: list[EncoderBlock] = blocks
        self.blocks = nn.ModuleList(blocks)
        self.norm = settings.make_last_norm(width)

    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States in the layout of the vectors."""
        layout, values = vectors.layout, vectors.values
        bias = bias_of(layout.mask, values.dtype)[:, None, None]  # [N, 1, 1, T]
        fused = self.settings.fuses(values, examples)
        places = Places(layout, bias, examples, self.positions, fused=fused)
        values = self.positions.add(values, layout.position, layout.longest)
        values = self.dropout(values, places.keys)
        for block in self.stack:
            if not block.layer_drop.leaves_out(examples):
                values = block(values, places)
        states = self.norm(values)
        return Memory(states, layout, mean(states, layout), vectors.ids)


def mean(
    states: Float[Tensor, "positions width"], layout: Layout
) -> Float[Tensor, "sources width"]:
    """The mean of each source's states."""
    return layout.pad(states).sum(1) / layout.device_lengths[:, None].to(states.dtype)


class EncoderBlock(Block):
    """Self-attention, then the network."""

    causal: ClassVar[bool] = False

    def __init__(self, settings: TransformerEncoderSettings, width: int) -> None:
        super().__init__(norm_first=settings.norm_first, layer_drop=settings.layer_drop)
        self.attention_norm = settings.make_norm(width)
        self.attention = settings.make_attention(width)
        self.attention_dropout = Dropout(settings.dropout)
        self.network_norm = settings.make_norm(width)
        self.network = settings.make_network(width)
        self.network_dropout = Dropout(settings.dropout)

    def forward(
        self, values: Float[Tensor, "positions width"], places: Places
    ) -> Float[Tensor, "positions width"]:
        """One block over all positions."""
        return self.feed(self.attend(values, places), places.keys)
