"""What recurrent encoders and decoders of any kind of unit have in common: their settings."""

from typing import ClassVar

from jaxtyping import Int
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.dropout import position_keys
from pipeline.models.layout import Layout
from pipeline.models.linear import Norm
from pipeline.models.parts import Examples
from pipeline.models.recurrence import Recurrence
from pipeline.models.unit import Unit
from pipeline.settings import Settings


class RecurrentSettings(Settings):
    """Layers of one kind of unit."""

    unit: ClassVar[Unit]

    units: int = Field(256, ge=1)
    """Units of each layer, and of each direction."""
    residual: bool = False
    """From the second layer on, add what the layer below gives to what a layer gives."""
    norm: bool = False
    """Layer norm of what each layer reads."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Rate on the inputs of each layer, and on the outputs."""
    variational: bool = False
    """Drop the same channels at all positions of a sequence, and of the recurrent state on its way
    to the next position too (Gal & Ghahramani 2016)."""

    def keys(self, examples: Examples, layout: Layout) -> Int[Tensor, " positions"] | None:
        """One key for each position, which variational dropout makes those of its sequence."""
        if examples is None or not self.variational:
            return position_keys(examples, layout)
        return examples.keys[layout.sequence]

    def recurrence(self, width_in: int) -> Recurrence:
        """One layer in one direction."""
        dropout = self.dropout if self.variational else 0.0
        return Recurrence(self.unit, width_in, self.units, dropout=dropout)

    def input_norm(self, width_in: int) -> nn.Module:
        """What is done to what a layer reads."""
        return Norm(width_in) if self.norm else nn.Identity()
