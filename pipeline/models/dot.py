"""Attention by products (Luong et al. 2015): score(q, k) = q · k, without a scale, or with."""

from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.models.attention import Attention, AttentionSettings, Fixed, looked, memory_values
from pipeline.models.seam import Memory
from pipeline.problems import Problem


class Dot(AttentionSettings):
    """Products of the decoder's state and the memory's states; it has no weights of its own."""

    attends: ClassVar[bool] = True

    scaled: bool = False
    """Divide scores by the root of the width (Vaswani et al. 2017), which was not published with
    this attention. Without, scores of a wide model soon grow so large at a high learning rate that
    each step looks at one position alone, and learns slowly where else to look."""

    def check(self, units: int, width: int) -> None:
        """Both sides of a product have the same width."""
        if units != width:
            raise Problem(
                f"attention dot needs as many units as the model's width, {width}",
                where="params.yaml, model.decoder.units",
                value=units,
                remedy=f"set it to {width}, or model.decoder.attention.kind: general",
            )

    def build(self, units: int, width: int) -> Attention:
        """Nothing to fill."""
        return DotAttention(width**-0.5 if self.scaled else 1.0)


class DotAttention(Attention):
    """Keys and values are the memory's states; scores are multiplied by `scale`."""

    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def fixed(self, memory: Memory) -> Fixed:
        """The states."""
        return memory_values(memory)

    def forward(
        self,
        queries: Float[Tensor, "sources targets width"],
        fixed: Fixed,
        coverage: Float[Tensor, "sources targets longest"] | None,
    ) -> tuple[Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"]]:
        """Contexts and weights."""
        return looked(self.scale * products(queries, fixed["values"]), fixed)


def products(
    queries: Float[Tensor, "sources targets width"], keys: Float[Tensor, "sources longest width"]
) -> Float[Tensor, "sources targets longest"]:
    """q · k of every pair of a source, given as float32 at least."""
    scores = torch.bmm(queries, keys.transpose(1, 2))
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
