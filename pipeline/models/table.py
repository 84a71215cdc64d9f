"""Tables of vectors, one for each id of a vocabulary: embedding, and output matrix where tied."""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from pipeline.batches.batch import PAD
from pipeline.models.weights import Weighted

Role = Literal["source", "target", "output"]
Embeddings = Literal["separate", "target", "tied"]

# Which table of vectors serves which role.
TABLES: dict[Embeddings, dict[Role, str]] = {
    "separate": {"source": "source", "target": "target", "output": "output"},
    "target": {"source": "source", "target": "target", "output": "target"},
    "tied": {"source": "shared", "target": "shared", "output": "shared"},
}


class Table(Weighted):
    """`[vocabulary, width]`, started normally with standard deviation width^-0.5, padding at 0."""

    def __init__(self, vocabulary: int, width: int, *, scale: float, dtype: torch.dtype) -> None:
        super().__init__()
        self.scale = scale
        self.dtype = dtype
        self.weight = nn.Parameter(torch.empty(vocabulary, width))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Scaled by width^0.5, a vector's channels have variance 1."""
        self.weight.normal_(0, self.weight.shape[1] ** -0.5, generator=draw("weight"))
        self.weight[PAD] = 0

    def forward(self, ids: Int[Tensor, "*places"]) -> Float[Tensor, "*places width"]:
        """The ids' vectors times `scale`, in the type that the model computes in."""
        return nn.functional.embedding(ids, self.weight).mul(self.scale).to(self.dtype)

    def logits(
        self, outputs: Float[Tensor, "*places width"]
    ) -> Float[Tensor, "*places vocabulary"]:
        """Products with every id's vector, made in the outputs' type, given in the weights'."""
        return self.products.of(outputs, self.weight).to(self.weight.dtype)


class Tables(nn.ModuleDict):
    """The tables of a model by name; without a `source` vocabulary there is none for sources."""

    def __init__(
        self,
        embeddings: Embeddings,
        *,
        source: int | None,
        target: int,
        width: int,
        scale: float,
        dtype: torch.dtype,
    ) -> None:
        super().__init__()
        self._names = TABLES[embeddings]
        for name in dict.fromkeys(self._names.values()):
            rows = source if name == "source" else target
            if rows is not None:
                self[name] = Table(rows, width, scale=scale, dtype=dtype)

    def of(self, role: Role) -> Table:
        """The table that serves a role."""
        table = self[self._names[role]]
        assert isinstance(table, Table)
        return table
