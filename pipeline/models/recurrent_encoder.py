"""Recurrent encoders: from the front and the back (Bahdanau et al. 2015), or from one end.

`reversed` reads from the end to the front, so that a source's first words, where the target begins,
are the last that the fixed context vector has seen (Sutskever et al. 2014).
"""

from typing import ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.dropout import Dropout
from pipeline.models.gru import GRU
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.lstm import LSTM
from pipeline.models.packed import Packing
from pipeline.models.parts import Encoder, EncoderSettings, Examples
from pipeline.models.recurrence import Recurrence
from pipeline.models.recurrent import RecurrentSettings
from pipeline.models.rnn import RNN
from pipeline.models.seam import Memory, Vectors
from pipeline.models.unit import Unit
from pipeline.problems import Problem


class RecurrentEncoderSettings(RecurrentSettings, EncoderSettings):
    """Layers that read each source from both ends, or from one."""

    layers: int = Field(1, ge=1)
    """Layers on top of each other."""
    bidirectional: bool = True
    """Every layer reads from both ends, with so many units each."""
    reversed: bool = False
    """Read from the end to the front; needs bidirectional: false."""

    def check(self, width: int) -> None:
        """Any width does: states are projected to it."""
        if self.reversed and self.bidirectional:
            raise Problem(
                "an encoder that reads from both ends has no order to reverse",
                where="params.yaml, model.encoder.reversed",
                value=self.reversed,
                remedy="set model.encoder.bidirectional: false",
            )

    def longest(self) -> int | None:
        """Any number: read one after the other."""

    def build(self, width: int) -> Encoder:
        """The encoder with weights that are not yet filled."""
        return RecurrentEncoder(self, width)

    def packings(self, layout: Layout) -> tuple[Packing, ...]:
        """How each direction reads."""
        if self.bidirectional:
            return Packing(layout), Packing(layout, backward=True)
        return (Packing(layout, backward=self.reversed),)


class RNNEncoderSettings(RecurrentEncoderSettings):
    """Plain recurrent units."""

    unit: ClassVar[Unit] = RNN()


class GRUEncoderSettings(RecurrentEncoderSettings):
    """Gated recurrent units."""

    unit: ClassVar[Unit] = GRU()


class LSTMEncoderSettings(RecurrentEncoderSettings):
    """Long short-term memory."""

    unit: ClassVar[Unit] = LSTM()


class RecurrentEncoder(Encoder):
    """Directions side by side, projected to the width; the summary is where they end."""

    def __init__(self, settings: RecurrentEncoderSettings, width: int) -> None:
        super().__init__()
        self.settings = settings
        joined = settings.units * (2 if settings.bidirectional else 1)
        widths = [width] + [joined] * (settings.layers - 1)
        self.layers = nn.ModuleList([RecurrentLayer(settings, inputs) for inputs in widths])
        self.states = Linear(joined, width)
        self.dropout = Dropout(settings.dropout)

    def forward(self, vectors: Vectors, examples: Examples) -> Memory:
        """States in the layout of the vectors."""
        layout, values = vectors.layout, vectors.values
        keys = self.settings.keys(examples, layout)
        packings = self.settings.packings(layout)
        for number, layer in enumerate(self.layers):
            states = layer(values, keys, examples, packings)
            values = states + values if self.settings.residual and number else states
        states = self.states(self.dropout(values, keys))
        return Memory(states, layout, self.states(_ends(values, packings)), vectors.ids)


def _ends(
    values: Float[Tensor, "positions joined"], packings: tuple[Packing, ...]
) -> Float[Tensor, "sources joined"]:
    """Each direction where it ends."""
    parts = [values[packing.last].chunk(len(packings), dim=1) for packing in packings]
    return torch.cat([part[number] for number, part in enumerate(parts)], dim=1)


class RecurrentLayer(nn.Module):
    """One recurrence, or one from the front and one from the back."""

    def __init__(self, settings: RecurrentEncoderSettings, width_in: int) -> None:
        super().__init__()
        self.norm = settings.input_norm(width_in)
        self.dropout = Dropout(settings.dropout)
        self.forwards = settings.recurrence(width_in)
        self.directions: list[Recurrence] = [self.forwards]
        if settings.bidirectional:
            self.backwards = settings.recurrence(width_in)
            self.directions.append(self.backwards)

    def forward(
        self,
        values: Float[Tensor, "positions in"],
        keys: Int[Tensor, " positions"] | None,
        examples: Examples,
        packings: tuple[Packing, ...],
    ) -> Float[Tensor, "positions joined"]:
        """States of all directions."""
        values = self.dropout(self.norm(values), keys)
        states = [
            recurrence(values, None, packing, examples)
            for recurrence, packing in zip(self.directions, packings, strict=True)
        ]
        return torch.cat(states, dim=1)
