"""What blocks of a Transformer share, in encoder and decoder: places of a batch, two sublayers."""

from abc import ABC
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.feedforward import FeedForward
from pipeline.models.layout import Layout
from pipeline.models.linear import AnyNorm
from pipeline.models.multihead import SelfAttention
from pipeline.models.parts import Examples
from pipeline.models.positions import Positions, Turns


class Places:
    """What all blocks share: where positions lie, whom they may attend to, angles and keys."""

    def __init__(
        self,
        layout: Layout,
        bias: Float[Tensor, "sequences one ... longest"],
        examples: Examples,
        positions: Positions,
        *,
        fused: bool = False,
    ) -> None:
        self.layout = layout
        self.bias = bias
        self.keys = position_keys(examples, layout)
        self.padded_keys = None if self.keys is None else layout.pad(self.keys)
        columns = torch.arange(layout.longest, device=layout.device)
        self.turns = positions.turns(columns, layout.longest, bias.dtype)
        self.fused = fused  # attention by a GPU's kernel

    def flat_turns(self) -> Turns | None:
        """The turns of flat positions."""
        if self.turns is None:
            return None
        return Turns(*(each[self.layout.position][:, None] for each in self.turns))


class Block(nn.Module, ABC):
    """Sublayers, each with a norm before or after it, and dropout of what it adds."""

    causal: ClassVar[bool]  # self-attention sees no later position
    attention_norm: AnyNorm
    attention: SelfAttention
    attention_dropout: Dropout
    network_norm: AnyNorm
    network: FeedForward
    network_dropout: Dropout

    def __init__(self, *, norm_first: bool, layer_drop: float) -> None:
        super().__init__()
        self.norm_first = norm_first
        self.layer_drop = Dropout(layer_drop)

    def enter(self, norm: AnyNorm, values: Float[Tensor, "*places width"]) -> Tensor:
        """What a sublayer reads."""
        return norm(values) if self.norm_first else values

    def leave(self, norm: AnyNorm, values: Float[Tensor, "*places width"]) -> Tensor:
        """What a sublayer's sum becomes."""
        return values if self.norm_first else norm(values)

    def attend(
        self, values: Float[Tensor, "positions width"], places: Places
    ) -> Float[Tensor, "positions width"]:
        """The sublayer of self-attention over all positions."""
        entered = self.enter(self.attention_norm, values)
        if places.fused:
            added = self._fused(entered, places)
        else:
            added = self.attention(
                entered, places.layout, places.bias, places.padded_keys, places.turns
            )
        summed = self.attention_dropout.add(values, added, places.keys)
        return self.leave(self.attention_norm, summed)

    def _fused(self, entered: Float[Tensor, "positions width"], places: Places) -> Tensor:
        attention, turns = self.attention, places.flat_turns()
        projected = attention.project(entered)
        contexts = attention.fused(projected, places.layout, turns, causal=self.causal)
        return attention.output(contexts)

    def feed(
        self, values: Float[Tensor, "*places width"], keys: Tensor | None
    ) -> Float[Tensor, "*places width"]:
        """The sublayer of the position-wise network."""
        added = self.network(self.enter(self.network_norm, values), keys)
        return self.leave(self.network_norm, self.network_dropout.add(values, added, keys))
