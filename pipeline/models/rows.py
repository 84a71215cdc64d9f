"""Rows of hypotheses in a step of search: those that live, without the places where nobody does.

A search keeps places in a rectangle, [sources, beams], and towards the end of a batch many of them
are empty. Products work on rows, so that only those of live hypotheses need be made.
"""

from jaxtyping import Bool, Int, Shaped
from torch import Tensor

from pipeline.batches.batch import EOS

WORTH = 1 / 8  # the share of empty places from which on leaving them out pays for the copies


class Rows:
    """The places of a rectangle that are worked on, one behind the other: all, or the live ones."""

    def __init__(self, live: Bool[Tensor, "sources beams"], *, steady: bool) -> None:
        """`steady`: all places, whoever lives."""
        self.shape = live.shape
        count = live.numel() if steady else int(live.sum())
        self.full = count == 0 or count > live.numel() * (1 - WORTH)
        if not self.full:
            flat = live.flatten()
            self._places: Int[Tensor, " rows"] = flat.nonzero()[:, 0]
            self._back: Int[Tensor, " places"] = (flat.cumsum(0) - 1).clamp_(min=0)

    def gather(self, values: Shaped[Tensor, "sources beams ..."]) -> Shaped[Tensor, "rows ..."]:
        """The rows of a rectangle."""
        flat = values.flatten(0, 1)
        return flat if self.full else flat.index_select(0, self._places)

    def spread(self, rows: Shaped[Tensor, "rows ..."]) -> Shaped[Tensor, "sources beams ..."]:
        """The rectangle of rows; what stands in an empty place is a copy of some row."""
        return (rows if self.full else rows.index_select(0, self._back)).unflatten(0, self.shape)


def rows_of(ids: Int[Tensor, "sources beams"], *, steady: bool) -> Rows:
    """The rows of a step: nothing follows EOS, so that no hypothesis lives where that stands."""
    return Rows(ids != EOS, steady=steady)
