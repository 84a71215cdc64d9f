"""What every attention of a recurrent decoder offers: queries ask the memory, contexts come back.

`ATTENTIONS` in the room's `__init__.py` names them. One that remembers is told how much each
position was attended to so far, so that positions of the target have to be walked one by one.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from pipeline.models.scaled_dot import bias_of
from pipeline.models.seam import Memory
from pipeline.settings import Settings

Fixed = dict[str, Tensor]  # what belongs to sources: it moves with them in search


class Attention(nn.Module, ABC):
    """Scores of a source's positions, a softmax, and the weighted sum of its states."""

    remembers: bool = False  # the attention so far enters the scores (coverage)

    @abstractmethod
    def fixed(self, memory: Memory) -> Fixed:
        """What is made once for a memory."""

    @abstractmethod
    def forward(
        self,
        queries: Float[Tensor, "sources targets units"],
        fixed: Fixed,
        coverage: Float[Tensor, "sources targets longest"] | None,
    ) -> tuple[
        Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"] | None
    ]:
        """Contexts, and the weights where there are any; `coverage` where it remembers."""


class AttentionSettings(Settings, ABC):
    """Settings of an attention."""

    attends: ClassVar[bool]  # it has weights

    @abstractmethod
    def check(self, units: int, width: int) -> None:
        """Raise a Problem where they fit neither the decoder's units nor the model's width."""

    @abstractmethod
    def build(self, units: int, width: int) -> Attention:
        """The attention of queries of so many units to states of this width."""


def memory_values(memory: Memory) -> Fixed:
    """The states, padded, and minus infinity where a source has no position."""
    values = memory.layout.pad(memory.states)
    if memory.layout.full:
        return {"values": values}
    return {"values": values, "bias": bias_of(memory.layout.mask, values.dtype)[:, None]}


def looked(
    scores: Float[Tensor, "sources targets longest"], fixed: Fixed
) -> tuple[Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"]]:
    """Contexts and weights of scores."""
    bias, values = fixed.get("bias"), fixed["values"]
    weights = torch.softmax(scores if bias is None else scores + bias, dim=-1).to(values.dtype)
    return torch.bmm(weights, values), weights
