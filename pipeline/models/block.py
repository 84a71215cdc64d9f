"""What blocks of a Transformer share, in encoder and decoder: places of a batch, two sublayers.

A sublayer's work on flat positions may be compiled (`compiled.py`); attention, which sees padded
views of ever new shapes, is not.
"""

from abc import ABC
from collections.abc import Callable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.models.compiled import compiled
from pipeline.models.dropout import Dropout, position_keys
from pipeline.models.feedforward import FeedForward
from pipeline.models.layout import Layout
from pipeline.models.linear import AnyNorm, Linear
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
        return _before(values, norm, self.norm_first)

    def leave(self, norm: AnyNorm, values: Float[Tensor, "*places width"]) -> Tensor:
        """What a sublayer's sum becomes."""
        return _after(values, norm, self.norm_first)

    def attend(
        self, values: Float[Tensor, "positions width"], places: Places
    ) -> Float[Tensor, "positions width"]:
        """The sublayer of self-attention over all positions."""
        attention, norm, keys = self.attention, self.attention_norm, places.keys
        projected = self.read(norm, attention.project, values, keys)
        if places.fused:
            contexts = attention.fused(
                projected, places.layout, places.flat_turns(), causal=self.causal
            )
        else:
            contexts = attention(
                projected, places.layout, places.bias, places.padded_keys, places.turns
            )
        return self.add(norm, attention.output, self.attention_dropout, values, contexts, keys)

    def read(
        self,
        norm: AnyNorm,
        product: Linear,
        values: Float[Tensor, "positions width"],
        keys: Tensor | None,
    ) -> Float[Tensor, "positions out"]:
        """What a sublayer reads, mapped."""
        return _region(_read, values, keys, norm, self.norm_first, product)

    def add(
        self,
        norm: AnyNorm,
        product: Linear,
        dropout: Dropout,
        values: Float[Tensor, "positions width"],
        contexts: Float[Tensor, "positions width"],
        keys: Tensor | None,
    ) -> Float[Tensor, "positions width"]:
        """What an attention leaves: contexts, mapped, are added."""
        last = norm, self.norm_first, product, dropout
        return _region(_added, values, keys, contexts, *last)

    def feed(
        self, values: Float[Tensor, "*places width"], keys: Tensor | None
    ) -> Float[Tensor, "*places width"]:
        """The sublayer of the position-wise network."""
        parts = self.network_norm, self.norm_first, self.network, self.network_dropout
        return _region(_fed, values, keys, *parts)


def _region(
    work: Callable[..., Tensor], values: Tensor, keys: Tensor | None, *rest: object
) -> Tensor:
    """Work that may be compiled: in training, where there are keys and gradients are asked for."""
    if keys is None or not torch.is_grad_enabled():
        return work(values, keys, *rest)
    return compiled(work, values, keys, *rest)


def _before(values: Tensor, norm: AnyNorm, norm_first: bool) -> Tensor:
    return norm(values) if norm_first else values


def _after(values: Tensor, norm: AnyNorm, norm_first: bool) -> Tensor:
    return values if norm_first else norm(values)


def _read(
    values: Tensor, _: Tensor | None, norm: AnyNorm, norm_first: bool, product: Linear
) -> Tensor:
    return product(_before(values, norm, norm_first))


def _added(
    values: Tensor,
    keys: Tensor | None,
    contexts: Tensor,
    norm: AnyNorm,
    norm_first: bool,
    product: Linear,
    dropout: Dropout,
) -> Tensor:
    return _after(dropout.add(values, product(contexts), keys), norm, norm_first)


def _fed(
    values: Tensor,
    keys: Tensor | None,
    norm: AnyNorm,
    norm_first: bool,
    network: FeedForward,
    dropout: Dropout,
) -> Tensor:
    added = network(_before(values, norm, norm_first), keys)
    return _after(dropout.add(values, added, keys), norm, norm_first)
