"""A walk over the positions of a target: position by position, of all sequences that still run.

Sequences lie longest first, as packed (`packed.py`), one hypothesis each: `[count, 1, width]`.
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
    """The steps of a layout, with the keys of their positions and of their sequences."""

    def __init__(
        self, layout: Layout, examples: ExampleKeys | None, keys: Int[Tensor, " positions"] | None
    ) -> None:
        self.packing = Packing(layout)
        self.order = self.packing.order
        self.examples = None if examples is None else examples.keys[self.order, None]
        self.keys = None if keys is None else self.packing.pack(keys)[:, None]

    def steps(self, vectors: Float[Tensor, "positions width"]) -> Iterator[Stop]:
        """(sequences that still run, their vectors, keys of positions and of sequences)."""
        counts = self.packing.counts
        parts = self.packing.pack(vectors)[:, None].split(counts)
        keys = [None] * len(counts) if self.keys is None else self.keys.split(counts)
        for count, part, key in zip(counts, parts, keys, strict=True):
            yield count, part, key, None if self.examples is None else self.examples[:count]

    def joined(
        self, stops: list[Float[Tensor, "count one width"]]
    ) -> Float[Tensor, "positions width"]:
        """What the steps gave, in the layout's order."""
        return self.packing.unpack(torch.cat(stops)[:, 0])
