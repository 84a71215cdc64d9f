"""The positions of a target as a recurrence reads them: packed, with keys; or one after the other.

A walk goes position by position over the sequences that still run. They lie longest first, as
packed (`packed.py`), one hypothesis each: `[count, 1, width]`.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.models.dropout import ExampleKeys
from pipeline.models.layout import Layout
from pipeline.models.packed import Packing

Stop = tuple[int, Tensor, Tensor | None, Tensor | None]


class Walk:
    """A layout, its packing, and the keys of its positions and of its sequences."""

    def __init__(
        self, layout: Layout, examples: ExampleKeys | None, keys: Int[Tensor, " positions"] | None
    ) -> None:
        self.layout = layout
        self.packing = Packing(layout)
        self.examples = examples
        self.keys = keys

    def steps(self, vectors: Float[Tensor, "positions width"]) -> Iterator[Stop]:
        """(sequences that still run, their vectors, keys of these positions, keys of sequences)."""
        counts, pack = self.packing.counts, self.packing.pack
        parts = pack(vectors)[:, None].split(counts)
        keys = [None] * len(counts) if self.keys is None else pack(self.keys)[:, None].split(counts)
        owners = None if self.examples is None else self.examples.keys[self.packing.order, None]
        for count, part, key in zip(counts, parts, keys, strict=True):
            yield count, part, key, None if owners is None else owners[:count]

    def joined(
        self, stops: list[Float[Tensor, "count one width"]]
    ) -> Float[Tensor, "positions width"]:
        """What the steps gave, in the layout's order."""
        return self.packing.unpack(torch.cat(stops)[:, 0])


def first(tensors: dict[str, Tensor], count: int) -> dict[str, Tensor]:
    """The first rows of each; nothing is done where these are all."""
    return {
        name: value if len(value) == count else value[:count] for name, value in tensors.items()
    }
