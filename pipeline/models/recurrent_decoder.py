"""Recurrent decoders with attention (Bahdanau et al. 2015; Luong et al. 2015), or without.

The first layer's state asks the memory, and the context goes to the layers above and to the output,
as in GNMT (Wu et al. 2016): so attention is no part of a recurrence, and in training every product
but U h is made for all positions at once. Where it is a part (input feeding, coverage), training
walks the target step by step.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from pipeline.choose import chosen
from pipeline.models.additive import Additive
from pipeline.models.attention import AttentionSettings, Fixed
from pipeline.models.dropout import Dropout
from pipeline.models.gru import GRU
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.lstm import LSTM
from pipeline.models.parts import Decoder, DecoderSettings, Examples
from pipeline.models.recurrence import Recurrence
from pipeline.models.recurrent import RecurrentSettings
from pipeline.models.rnn import RNN
from pipeline.models.rows import Rows
from pipeline.models.seam import Memory, Step
from pipeline.models.state import DecoderState
from pipeline.models.unit import Unit
from pipeline.models.walk import Walk, first

Moving = dict[str, Tensor]  # what belongs to hypotheses: it moves with them in search
Run = Callable[[int, Tensor], Tensor]  # a layer's number and inputs → its h
Look = Callable[[Tensor], tuple[Tensor, Tensor | None]]  # the first layer's h → context, weights


def _attentions() -> Mapping[str, type[AttentionSettings]]:
    """The room's table, which is complete only after this module."""
    from pipeline.models import ATTENTIONS

    return ATTENTIONS


class RecurrentDecoderSettings(RecurrentSettings, DecoderSettings):
    """Recurrent layers, and attention from the first one."""

    layers: int = Field(2, ge=1)
    """Layers on top of each other; the second and later ones see the context."""
    attention: Annotated[SerializeAsAny[AttentionSettings], chosen(_attentions)] = Additive()
    """How the memory is asked: {kind: additive, dot, general or none, its fields…}."""
    input_feeding: bool = False
    """Give each step the output of the step before, beside the prefix (Luong et al. 2015).
    Training then walks the target step by step, which takes about a third longer on a CPU."""

    @property
    def attends(self) -> bool:
        """Not with the fixed context vector."""
        return self.attention.attends

    def check(self, width: int) -> None:
        """The attention fits; apart from that any width does: states are projected to it."""
        self.attention.check(self.units, width)

    def longest(self) -> int | None:
        """Any number: written one after the other."""

    def build(self, width: int) -> Decoder:
        """The decoder with weights that are not yet filled."""
        return RecurrentDecoder(self, width)


class RNNDecoderSettings(RecurrentDecoderSettings):
    """Plain recurrent units."""

    unit: ClassVar[Unit] = RNN()


class GRUDecoderSettings(RecurrentDecoderSettings):
    """Gated recurrent units."""

    unit: ClassVar[Unit] = GRU()


class LSTMDecoderSettings(RecurrentDecoderSettings):
    """Long short-term memory."""

    unit: ClassVar[Unit] = LSTM()


class RecurrentDecoder(Decoder):
    """tanh(W [state, context, prefix]) of the top layer's state."""

    def __init__(self, settings: RecurrentDecoderSettings, width: int) -> None:
        super().__init__()
        units = settings.units
        self.settings = settings
        self.unit = settings.unit
        fed = 2 * width if settings.input_feeding else width
        widths = [fed] + [units + width] * (settings.layers - 1)
        self.recurrences: list[Recurrence] = [settings.recurrence(inputs) for inputs in widths]
        self.layers = nn.ModuleList(self.recurrences)
        self.starts = nn.ModuleList([Linear(width, units, parts=self.unit.parts) for _ in widths])
        self.norms = nn.ModuleList([settings.input_norm(inputs) for inputs in widths])
        self.dropouts = nn.ModuleList([Dropout(settings.dropout) for _ in widths])
        self.attention = settings.attention.build(units, width)
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
        """Outputs at all positions: layer after layer, where it can be."""
        walk = Walk(layout, examples, self.settings.keys(examples, layout))
        stepwise = self.settings.input_feeding or self.attention.remembers
        output, weights = (self._walked if stepwise else self._layered)(prefixes, memory, walk)
        return Step(self.output_dropout(output, walk.keys), weights if attention else None)

    def _layered(
        self, prefixes: Tensor, memory: Memory, walk: Walk
    ) -> tuple[Tensor, Tensor | None]:
        """All positions at once."""
        layout, starts, fixed = walk.layout, self._starts(memory), self.attention.fixed(memory)

        def run(number: int, inputs: Tensor) -> Tensor:
            return self.recurrences[number](inputs, starts[number], walk.packing, walk.examples)

        def look(states: Tensor) -> tuple[Tensor, Tensor | None]:
            context, weights = self.attention(layout.pad(states), fixed, None)
            return layout.unpad(context), None if weights is None else layout.unpad(weights)

        return self._stack(prefixes, prefixes, walk.keys, run, look)

    def _walked(self, prefixes: Tensor, memory: Memory, walk: Walk) -> tuple[Tensor, Tensor | None]:
        """One position of all sequences after the other, as in search."""
        order = walk.packing.order
        fixed = {name: value[order] for name, value in self.attention.fixed(memory).items()}
        moving = {name: value[order] for name, value in self._moving(memory).items()}
        outputs: list[Tensor] = []
        looks: list[Tensor] = []
        for count, vectors, rows, sequences in walk.steps(prefixes):
            fixed, moving = first(fixed, count), first(moving, count)
            output, weights, moving = self._advance(vectors, fixed, moving, rows, sequences)
            outputs.append(output)
            looks += [] if weights is None else [weights]
        return walk.joined(outputs), walk.joined(looks) if looks else None

    def start(self, memory: Memory) -> DecoderState:
        """Keys of the memory; a state of each layer, from the summary."""
        return DecoderState(
            fixed=self.attention.fixed(memory),
            moving=self._moving(memory),
            sources=memory.layout.count,
        )

    def step(
        self, vectors: Float[Tensor, "rows width"], state: DecoderState, rows: Rows
    ) -> tuple[Step, DecoderState]:
        """One more position for every hypothesis; products of layers are made for all places."""
        state.spend()
        inputs = rows.spread(vectors)
        output, weights, moving = self._advance(inputs, state.fixed, state.moving, None, None)
        attention = rows.gather(weights) if state.attention and weights is not None else None
        return Step(rows.gather(output), attention), state.after(moving)

    def _advance(
        self,
        vectors: Float[Tensor, "sources beams width"],
        fixed: Fixed,
        moving: Moving,
        keys: Tensor | None,
        sequences: Tensor | None,
    ) -> tuple[Tensor, Tensor | None, Moving]:
        """One position: its output and attention, and what moves on."""
        after: Moving = {}

        def run(number: int, inputs: Tensor) -> Tensor:
            name = f"layer {number}"
            after[name] = self.recurrences[number].step(inputs, moving[name], sequences)
            return self.unit.hidden(after[name]).to(vectors.dtype)

        def look(states: Tensor) -> tuple[Tensor, Tensor | None]:
            return self.attention(states, fixed, moving.get("coverage"))

        fed = moving.get("fed")
        inputs = vectors if fed is None else torch.cat([vectors, fed], dim=-1)
        output, weights = self._stack(inputs, vectors, keys, run, look)
        if fed is not None:
            after["fed"] = output
        if weights is not None and "coverage" in moving:
            after["coverage"] = moving["coverage"] + weights
        return output, weights, after

    def _stack(
        self, inputs: Tensor, prefixes: Tensor, keys: Tensor | None, run: Run, look: Look
    ) -> tuple[Tensor, Tensor | None]:
        """The layers, however they are run; outputs before dropout, and the attention."""
        states = run(0, self._read(0, inputs, keys))
        context, weights = look(states)
        for number in range(1, len(self.recurrences)):
            inputs = self._read(number, torch.cat([states, context], dim=-1), keys)
            above = run(number, inputs)
            states = states + above if self.settings.residual else above
        return torch.tanh(self.output(torch.cat([states, context, prefixes], dim=-1))), weights

    def _read(self, number: int, inputs: Tensor, keys: Tensor | None) -> Tensor:
        """What a layer reads, normalised and dropped."""
        return self.dropouts[number](self.norms[number](inputs), keys)

    def _starts(self, memory: Memory) -> list[Float[Tensor, "sources state"]]:
        """The state that each layer starts from."""
        return [torch.tanh(bridge(memory.summary)) for bridge in self.starts]

    def _moving(self, memory: Memory) -> Moving:
        """What a hypothesis carries before its first step."""
        dtype, summary = self.recurrences[0].weight.dtype, memory.summary
        starts = enumerate(self._starts(memory))
        moving = {f"layer {number}": start.to(dtype)[:, None] for number, start in starts}
        if self.settings.input_feeding:
            moving["fed"] = torch.zeros_like(summary)[:, None]
        if self.attention.remembers:
            shape = (memory.layout.count, 1, memory.layout.longest)
            moving["coverage"] = summary.new_zeros(shape, dtype=dtype)
        return moving
