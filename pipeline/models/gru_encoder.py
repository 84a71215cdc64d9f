"""The bidirectional recurrent encoder (Bahdanau et al. 2015), of gated recurrent units."""

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.gru import Recurrence
from pipeline.models.linear import Linear
from pipeline.models.packed import Packing
from pipeline.models.parts import Encoder, EncoderSettings, Examples
from pipeline.models.seam import Memory, Vectors


class GRUEncoderSettings(EncoderSettings):
    """Layers that read each source from both ends."""

    layers: int = Field(1, ge=1)
    """Bidirectional layers on top of each other."""
    units: int = Field(256, ge=1)
    """Units of each direction."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Rate on the inputs of each layer, and on the states."""

    def check(self, width: int) -> None:
        """Any width does: states are projected to it."""

    def longest(self) -> int | None:
        """Any number: read one after the other."""

    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""
        return GRUEncoder(self, width)


class GRUEncoder(Encoder):
    """Both directions side by side, projected to the width; the summary is where they end."""

    def __init__(self, settings: GRUEncoderSettings, width: int) -> None:
        super().__init__()
        both = 2 * settings.units
        widths = [width] + [both] * (settings.layers - 1)
        self.layers = nn.ModuleList([GRULayer(settings, inputs) for inputs in widths])
        self.states = Linear(both, width)
        self.dropout = Dropout(settings.dropout)

    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States in the layout of the vectors."""
        layout, values = vectors.layout, vectors.values
        keys = position_keys(examples, layout)
        packings = Packing(layout), Packing(layout, backward=True)
        ends = values
        for layer in self.layers:
            values, ends = layer(values, keys, packings)
        states = self.states(self.dropout(values, keys))
        return Memory(states, layout, self.states(ends), vectors.ids)


class GRULayer(nn.Module):
    """One recurrence from the front, one from the back."""

    def __init__(self, settings: GRUEncoderSettings, width_in: int) -> None:
        super().__init__()
        self.dropout = Dropout(settings.dropout)
        self.forwards = Recurrence(width_in, settings.units)
        self.backwards = Recurrence(width_in, settings.units)

    def forward(
        self,
        values: Float[Tensor, "positions in"],
        keys: Int[Tensor, " positions"] | None,
        packings: tuple[Packing, Packing],
    ) -> tuple[Float[Tensor, "positions both"], Float[Tensor, "sources both"]]:
        """States of both directions, and their last ones."""
        values = self.dropout(values, keys)
        layout = packings[0].layout
        start = values.new_zeros(layout.count, self.forwards.units)
        ahead = self.forwards(values, start, packings[0])
        back = self.backwards(values, start, packings[1])
        last = layout.starts + layout.device_lengths - 1
        ends = torch.cat([ahead[last], back[layout.starts]], dim=1)
        return torch.cat([ahead, back], dim=1), ends
