"""The Transformer's decoder (Vaswani et al. 2017), norms before sublayers (Xiong et al. 2020).

In a search, keys and values of the memory are made once for each source, and those of the prefix
are kept in the state's cache: two entries a layer.
"""

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.feedforward import FeedForward
from pipeline.models.layout import Layout
from pipeline.models.linear import Norm
from pipeline.models.multihead import CrossAttention, SelfAttention, bias_of, causal
from pipeline.models.parts import Decoder, DecoderSettings, Examples
from pipeline.models.positions import check_heads, sinusoids
from pipeline.models.seam import Memory, Step
from pipeline.models.state import ROOM, DecoderState


class TransformerDecoderSettings(DecoderSettings):
    """Layers of self-attention, attention to the memory, and a position-wise network."""

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

    @property
    def attends(self) -> bool:
        """Always."""
        return True

    def check(self, width: int) -> None:
        """Heads divide the width, which is even (sines and cosines)."""
        check_heads("decoder", width, self.heads)

    def longest(self) -> int | None:
        """Any number: sines and cosines never end."""

    def build(self, width: int) -> Decoder:
        """The decoder with weights that are not yet filled."""
        return TransformerDecoder(self, width)


class TransformerDecoder(Decoder):
    """Blocks over flat positions and a last norm; attention: the last block's, mean over heads."""

    def __init__(self, settings: TransformerDecoderSettings, width: int) -> None:
        super().__init__()
        self.dropout = Dropout(settings.dropout)
        blocks = [DecoderBlock(settings, width) for _ in range(settings.layers)]
        self.blocks: list[DecoderBlock] = blocks
        self.layers = nn.ModuleList(blocks)
        self.norm = Norm(width)

    def forward(
        self,
        prefixes: Float[Tensor, "positions width"],
        layout: Layout,
        memory: Memory,
        examples: Examples,
        *,
        attention: bool = False,
    ) -> Step:
        """Outputs at all positions, each blind to what comes after it."""
        places = Places(layout, memory.layout, examples, prefixes.dtype)
        values = prefixes + sinusoids(
            layout.position, layout.longest, prefixes.shape[1], prefixes.dtype
        )
        values = self.dropout(values, places.keys)
        weights = None
        for block in self.blocks:
            values, weights = block(values, memory, places)
        assert weights is not None
        return Step(self.norm(values), layout.unpad(weights.mean(1)) if attention else None)

    def start(self, memory: Memory) -> DecoderState:
        """Keys and values of the memory for each block; an empty cache."""
        layout, states = memory.layout, memory.states
        fixed = {"bias": bias_of(layout.mask, states.dtype)[:, None, None]}
        for number, block in enumerate(self.blocks):
            keys, values = block.cross.keys_values(states, layout)
            fixed[f"keys {number}"], fixed[f"values {number}"] = keys, values
        cache = states.new_empty(ROOM, 2 * len(self.blocks), layout.count, states.shape[1])
        return DecoderState(fixed=fixed, moving={}, sources=layout.count, cache=cache)

    def step(
        self, vectors: Float[Tensor, "sources beams width"], state: DecoderState
    ) -> tuple[Step, DecoderState]:
        """One more position for every hypothesis."""
        state.spend()
        place = torch.tensor([state.steps], device=vectors.device)
        values = vectors + sinusoids(place, state.steps + 1, vectors.shape[2], vectors.dtype)
        weights = None
        for number, block in enumerate(self.blocks):
            values, weights = block.step(values, state, number)
        assert weights is not None
        attention = weights.mean(1) if state.attention else None
        return Step(self.norm(values), attention), state.after(state.moving)


class Places:
    """Biases and keys that all blocks share."""

    def __init__(
        self, layout: Layout, source: Layout, examples: Examples, dtype: torch.dtype
    ) -> None:
        self.layout = layout
        self.causal = bias_of(causal(layout.mask), dtype)[:, None]  # [N, 1, T, T]
        self.source = bias_of(source.mask, dtype)[:, None, None]  # [N, 1, 1, S]
        self.keys = position_keys(examples, layout)
        self.padded_keys = None if self.keys is None else layout.pad(self.keys)


class DecoderBlock(nn.Module):
    """x + self-attention(norm(x)), x + cross-attention(norm(x)), x + network(norm(x))."""

    def __init__(self, settings: TransformerDecoderSettings, width: int) -> None:
        super().__init__()
        self.attention_norm = Norm(width)
        self.attention = SelfAttention(width, settings.heads, settings.attention_dropout)
        self.attention_dropout = Dropout(settings.dropout)
        self.cross_norm = Norm(width)
        self.cross = CrossAttention(width, settings.heads, settings.attention_dropout)
        self.cross_dropout = Dropout(settings.dropout)
        self.network_norm = Norm(width)
        self.network = FeedForward(width, settings.feedforward, settings.feedforward_dropout)
        self.network_dropout = Dropout(settings.dropout)

    def forward(
        self, values: Float[Tensor, "positions width"], memory: Memory, places: Places
    ) -> tuple[Float[Tensor, "positions width"], Float[Tensor, "sources heads longest source"]]:
        """One block over all positions; also the attention to the memory."""
        layout, keys = places.layout, places.keys
        added = self.attention(
            self.attention_norm(values), layout, places.causal, places.padded_keys
        )
        values = self.attention_dropout.add(values, added, keys)
        query = self.cross.query(self.cross_norm(values))
        (query,) = layout.split_heads(query, 1, self.cross.heads)
        memory_keys, memory_values = self.cross.keys_values(memory.states, memory.layout)
        context, weights = self.cross.attend(
            query, memory_keys, memory_values, places.source, places.padded_keys
        )
        added = self.cross.output(layout.join_heads(context))
        values = self.cross_dropout.add(values, added, keys)
        added = self.network(self.network_norm(values), keys)
        return self.network_dropout.add(values, added, keys), weights

    def step(
        self, values: Float[Tensor, "sources beams width"], state: DecoderState, number: int
    ) -> tuple[Float[Tensor, "sources beams width"], Float[Tensor, "sources heads beams source"]]:
        """One block over one position of every hypothesis."""
        values = values + self._self_step(self.attention_norm(values), state, number)
        query = self.cross.query(self.cross_norm(values)).unflatten(-1, (self.cross.heads, -1))
        context, weights = self.cross.attend(
            query.transpose(1, 2),
            state.fixed[f"keys {number}"],
            state.fixed[f"values {number}"],
            state.fixed["bias"],
            None,
        )
        values = values + self.cross.output(context.transpose(1, 2).flatten(2))
        return values + self.network(self.network_norm(values), None), weights

    def _self_step(self, values: Tensor, state: DecoderState, number: int) -> Tensor:
        flat = values.flatten(0, 1)  # [sources × beams, width]
        query, key, value = self.attention.step_inputs(flat)
        state.append(2 * number, key)
        state.append(2 * number + 1, value)
        context = self.attention.step(query, state.filled(2 * number), state.filled(2 * number + 1))
        return context.view_as(values)
