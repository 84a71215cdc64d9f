"""The Transformer's decoder (Vaswani et al. 2017), norms before sublayers (Xiong et al. 2020) or
after.

In a search, keys and values of the memory are made once for each source, and those of the prefix
are kept in the state's cache, for as many heads as keys and values have.
"""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.models.block import Block, Places
from pipeline.models.cache import Cache, no_columns
from pipeline.models.dropout import Dropout
from pipeline.models.layout import Layout
from pipeline.models.parts import Decoder, DecoderSettings, Examples
from pipeline.models.positions import Turns
from pipeline.models.rows import Rows
from pipeline.models.scaled_dot import bias_of, causal
from pipeline.models.seam import Memory, Step
from pipeline.models.state import DecoderState
from pipeline.models.transformer import TransformerSettings


class TransformerDecoderSettings(TransformerSettings, DecoderSettings):
    """Layers of self-attention, attention to the memory, and a position-wise network."""

    part: ClassVar[str] = "decoder"

    @property
    def attends(self) -> bool:
        """Always."""
        return True

    def build(self, width: int) -> Decoder:
        """The decoder with weights that are not yet filled."""
        return TransformerDecoder(self, width)


class TransformerDecoder(Decoder):
    """Blocks over flat positions and a last norm; attention: the last block's, mean over heads."""

    def __init__(self, settings: TransformerDecoderSettings, width: int) -> None:
        super().__init__()
        self.settings = settings
        self.positions = settings.make_positions(width)
        self.dropout = Dropout(settings.dropout)
        blocks = [DecoderBlock(settings, width) for _ in range(settings.layers)]
        self.blocks: list[DecoderBlock] = blocks
        self.layers = nn.ModuleList(blocks)
        self.norm = settings.make_last_norm(width)

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
        bias = bias_of(causal(layout.mask), prefixes.dtype)[:, None]  # [N, 1, T, T]
        fused = self.settings.fuses(prefixes, examples) and not attention
        places = Places(layout, bias, examples, self.positions, fused=fused)
        source = bias_of(memory.layout.mask, prefixes.dtype)[:, None, None]  # [N, 1, 1, S]
        values = self.positions.add(prefixes, layout.position, layout.longest)
        values = self.dropout(values, places.keys)
        weights = None
        for block in self._kept(examples):
            values, weights = block(values, memory, places, source)
        looked = layout.unpad(weights.mean(1)) if attention and weights is not None else None
        return Step(self.norm(values), looked)

    def _kept(self, examples: Examples) -> list["DecoderBlock"]:
        """The blocks of this step: the last one always, for its attention."""
        *blocks, last = self.blocks
        return [block for block in blocks if not block.layer_drop.leaves_out(examples)] + [last]

    def start(self, memory: Memory) -> DecoderState:
        """Keys and values of the memory for each block; an empty cache."""
        layout, states = memory.layout, memory.states
        fixed = {"bias": bias_of(layout.mask, states.dtype)[:, None, None]}
        for number, block in enumerate(self.blocks):
            keys, values = block.cross.keys_values(states, layout)
            # [sources, groups, width, longest]: as products with few queries want to read them.
            fixed[f"keys {number}"] = keys.transpose(2, 3).contiguous()
            fixed[f"values {number}"] = values
        own = self.blocks[0].attention
        cache = no_columns(
            states,
            layers=len(self.blocks),
            sources=layout.count,
            groups=own.groups,
            width=own.project.widths_out[1] // own.groups,
        )
        return DecoderState(fixed=fixed, moving={}, sources=layout.count, cache=cache)

    def step(
        self, vectors: Float[Tensor, "rows width"], state: DecoderState, rows: Rows
    ) -> tuple[Step, DecoderState]:
        """One more position for every hypothesis."""
        state.spend()
        assert state.cache is not None
        cache = state.cache.grown()
        place = torch.tensor([state.steps], device=vectors.device)
        values = self.positions.add(vectors, place, state.steps + 1)
        turns = self.positions.turns(place, state.steps + 1, vectors.dtype)
        weights = None
        for number, block in enumerate(self.blocks):
            values = block.attend_step(values, rows, cache, number, turns)
            values, weights = block.ask_step(values, rows, state, number)
        assert weights is not None
        attention = rows.gather(weights.mean(1)) if state.attention else None
        return Step(self.norm(values), attention), state.after({}, cache)


class DecoderBlock(Block):
    """Self-attention, attention to the memory, then the network."""

    causal: ClassVar[bool] = True

    def __init__(self, settings: TransformerDecoderSettings, width: int) -> None:
        super().__init__(norm_first=settings.norm_first, layer_drop=settings.layer_drop)
        self.attention_norm = settings.make_norm(width)
        self.attention = settings.make_attention(width)
        self.attention_dropout = Dropout(settings.dropout)
        self.cross_norm = settings.make_norm(width)
        self.cross = settings.make_cross(width)
        self.cross_dropout = Dropout(settings.dropout)
        self.network_norm = settings.make_norm(width)
        self.network = settings.make_network(width)
        self.network_dropout = Dropout(settings.dropout)

    def forward(
        self,
        values: Float[Tensor, "positions width"],
        memory: Memory,
        places: Places,
        source: Float[Tensor, "sources one one source"],
    ) -> tuple[
        Float[Tensor, "positions width"], Float[Tensor, "sources heads longest source"] | None
    ]:
        """One block over all positions; also the attention to the memory, of bias `source`, where
        it is not fused."""
        values, keys = self.attend(values, places), places.keys
        query = self.read(self.cross_norm, self.cross.query, values, keys)
        if places.fused:
            context = self.cross.fused(query, memory.states, places.layout, memory.layout)
            weights = None
        else:
            (query,) = places.layout.split_heads(query, self.cross.heads)
            memory_keys, memory_values = self.cross.keys_values(memory.states, memory.layout)
            context, weights = self.cross.attend(
                query, memory_keys, memory_values, source, places.padded_keys
            )
            context = places.layout.join_heads(context)
        last = self.cross_norm, self.cross.output, self.cross_dropout
        return self.feed(self.add(*last, values, context, keys), keys), weights

    def attend_step(
        self,
        values: Float[Tensor, "rows width"],
        rows: Rows,
        cache: Cache,
        number: int,
        turns: Turns | None,
    ) -> Float[Tensor, "rows width"]:
        """Self-attention of one position to the cache, which has its key and value by then."""
        inputs = self.attention.step_inputs(self.enter(self.attention_norm, values), turns)
        query, key, value = map(rows.spread, inputs)
        cache.fill(number, key, value)
        context = self.attention.step(query, *cache.of(number), cache.bias[:, None])
        added = self.attention.output(rows.gather(context))
        return self.leave(self.attention_norm, values + added)

    def ask_step(
        self, values: Float[Tensor, "rows width"], rows: Rows, state: DecoderState, number: int
    ) -> tuple[Float[Tensor, "rows width"], Float[Tensor, "sources heads beams source"]]:
        """Attention of one position to the memory, and the network."""
        query = rows.spread(self.cross.query(self.enter(self.cross_norm, values)))
        context, weights = self.cross.attend(
            query.unflatten(-1, (self.cross.heads, -1)).transpose(1, 2),
            state.fixed[f"keys {number}"].transpose(2, 3),
            state.fixed[f"values {number}"],
            state.fixed["bias"],
            None,
        )
        added = self.cross.output(rows.gather(context.transpose(1, 2).flatten(2)))
        return self.feed(self.leave(self.cross_norm, values + added), None), weights
