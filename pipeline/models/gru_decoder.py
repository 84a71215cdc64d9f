"""A decoder of gated recurrent units with additive attention (Bahdanau et al. 2015).

The first layer's state asks the memory, and the context goes to the layers above and to the output,
as in GNMT (Wu et al. 2016): so attention is no part of a recurrence, and in training every product
but U h is made for all positions at once.
"""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.additive import AdditiveAttention
from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.gru import Recurrence
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.multihead import bias_of
from pipeline.models.packed import Packing
from pipeline.models.parts import Decoder, DecoderSettings, Examples
from pipeline.models.seam import Memory, Step
from pipeline.models.state import DecoderState


class GRUDecoderSettings(DecoderSettings):
    """Recurrent layers, and attention from the first one."""

    layers: int = Field(2, ge=1)
    """Recurrent layers on top of each other; the second and later ones see the context."""
    units: int = Field(256, ge=1)
    """Units of each layer."""
    attention_units: int = Field(256, ge=1)
    """Channels inside the attention's score."""
    dropout: float = Field(0.2, ge=0, lt=1)
    """Rate on the inputs of each layer, and on the outputs."""

    @property
    def attends(self) -> bool:
        """Always."""
        return True

    def check(self, width: int) -> None:
        """Any width does: states are projected to it."""

    def longest(self) -> int | None:
        """Any number: written one after the other."""

    def build(self, width: int) -> Decoder:
        """The decoder with weights that are not yet filled."""
        return GRUDecoder(self, width)


class GRUDecoder(Decoder):
    """tanh(W [state, context, prefix]) of the top layer's state."""

    def __init__(self, settings: GRUDecoderSettings, width: int) -> None:
        super().__init__()
        units = settings.units
        widths = [width] + [units + width] * (settings.layers - 1)
        recurrences = [Recurrence(inputs, units) for inputs in widths]
        bridges = [Linear(width, units) for _ in widths]
        dropouts = [Dropout(settings.dropout) for _ in widths]
        self.recurrences: list[Recurrence] = recurrences
        self.bridges: list[Linear] = bridges
        self.input_dropouts: list[Dropout] = dropouts
        self.layers = nn.ModuleList(recurrences)
        self.starts = nn.ModuleList(bridges)
        self.dropouts = nn.ModuleList(dropouts)
        self.attention = AdditiveAttention(units, width, settings.attention_units)
        self.output = Linear(units + 2 * width, width)
        self.output_dropout = Dropout(settings.dropout)

    def forward(
        self,
        prefixes: Float[Tensor, "positions width"],
        layout: Layout,
        memory: Memory,
        examples: Examples,
        *,
        attention: bool = False,
    ) -> Step:
        """Outputs at all positions: layer after layer, not position after position."""
        keys = position_keys(examples, layout)
        packing = Packing(layout)
        starts = self._starts(memory)
        states = self.recurrences[0](self.input_dropouts[0](prefixes, keys), starts[0], packing)
        bias = None if memory.layout.full else _bias(memory)
        context, weights = self.attention(
            layout.pad(states),
            self.attention.keys(memory.states, memory.layout),
            memory.layout.pad(memory.states),
            bias,
        )
        context = layout.unpad(context)
        for number, recurrence in enumerate(self.recurrences[1:], start=1):
            inputs = torch.cat([states, context], dim=1)
            inputs = self.input_dropouts[number](inputs, keys)
            states = recurrence(inputs, starts[number], packing)
        output = torch.tanh(self.output(torch.cat([states, context, prefixes], dim=1)))
        return Step(self.output_dropout(output, keys), layout.unpad(weights) if attention else None)

    def start(self, memory: Memory) -> DecoderState:
        """Keys of the memory; a state of each layer, from the summary."""
        fixed = {
            "keys": self.attention.keys(memory.states, memory.layout),
            "values": memory.layout.pad(memory.states),
            "bias": _bias(memory),
        }
        moving = {
            f"layer {number}": start.to(self.attention.energy.dtype)[:, None]
            for number, start in enumerate(self._starts(memory))
        }
        return DecoderState(fixed=fixed, moving=moving, sources=memory.layout.count)

    def step(
        self, vectors: Float[Tensor, "sources beams width"], state: DecoderState
    ) -> tuple[Step, DecoderState]:
        """One more position for every hypothesis."""
        state.spend()
        first = self.recurrences[0].step(vectors, state.moving["layer 0"])
        moving = {"layer 0": first}
        states = first.to(vectors.dtype)
        context, weights = self.attention(
            states, state.fixed["keys"], state.fixed["values"], state.fixed["bias"]
        )
        for number, recurrence in enumerate(self.recurrences[1:], start=1):
            name = f"layer {number}"
            moving[name] = recurrence.step(torch.cat([states, context], 2), state.moving[name])
            states = moving[name].to(vectors.dtype)
        output = torch.tanh(self.output(torch.cat([states, context, vectors], dim=2)))
        return Step(output, weights if state.attention else None), state.after(moving)

    def _starts(self, memory: Memory) -> list[Float[Tensor, "sources units"]]:
        """The state that each layer starts from."""
        return [torch.tanh(bridge(memory.summary)) for bridge in self.bridges]


def _bias(memory: Memory) -> Float[Tensor, "sources one longest"]:
    """Minus infinity where a source has no position."""
    return bias_of(memory.layout.mask, memory.states.dtype)[:, None]
