"""General attention (Luong et al. 2015): score(q, k) = q W k, a product after a linear map."""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pipeline.models.attention import Attention, AttentionSettings, Fixed, looked, memory_values
from pipeline.models.dot import products
from pipeline.models.linear import Linear
from pipeline.models.seam import Memory


class General(AttentionSettings):
    """Products of the decoder's state, mapped to the model's width, and the memory's states."""

    attends: ClassVar[bool] = True

    scaled: bool = False
    """Divide scores by the root of the width (Vaswani et al. 2017), which was not published with
    this attention. Without, scores of a wide model soon grow so large at a high learning rate that
    each step looks at one position alone, and learns slowly where else to look."""

    def check(self, units: int, width: int) -> None:
        """Any number of units does: they are mapped to the width."""

    def build(self, units: int, width: int) -> Attention:
        """The attention with weights that are not yet filled."""
        return GeneralAttention(units, width, width**-0.5 if self.scaled else 1.0)


class GeneralAttention(Attention):
    """Keys and values are the memory's states; scores are multiplied by `scale`."""

    def __init__(self, units: int, width: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.query = Linear(units, width, bias=False)

    def fixed(self, memory: Memory) -> Fixed:
        """The states."""
        return memory_values(memory)

    def forward(
        self,
        queries: Float[Tensor, "sources targets units"],
        fixed: Fixed,
        coverage: Float[Tensor, "sources targets longest"] | None,
    ) -> tuple[Float[Tensor, "sources targets width"], Float[Tensor, "sources targets longest"]]:
        """Contexts and weights."""
        scores = products(self.query(queries), fixed["values"])
        return looked(self.scale * scores, fixed)
