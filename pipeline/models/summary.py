"""No attention: the context is the same at every position, the summary of the source.

The fixed context vector of Cho et al. 2014 and Sutskever et al. 2014: whatever the length of a
source, all that the decoder learns of it are so many numbers.
"""

from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from pipeline.models.attention import Attention, AttentionSettings, Fixed
from pipeline.models.seam import Memory


class Summary(AttentionSettings):
    """The fixed context vector: the summary of the source, at every position."""

    attends: ClassVar[bool] = False

    def check(self, units: int, width: int) -> None:
        """Nothing has to fit."""

    def build(self, units: int, width: int) -> Attention:
        """Nothing to fill."""
        return FixedContext()


class FixedContext(Attention):
    """Nobody asks; there are no weights."""

    def fixed(self, memory: Memory) -> Fixed:
        """One vector a source."""
        return {"summary": memory.summary[:, None]}

    def forward(
        self,
        queries: Float[Tensor, "sources targets units"],
        fixed: Fixed,
        coverage: Float[Tensor, "sources targets longest"] | None,
    ) -> tuple[Float[Tensor, "sources targets width"], None]:
        """The same context for all queries."""
        return fixed["summary"].expand(-1, queries.shape[1], -1), None
