"""What self-attention remembers in a search: keys and values of a source's hypotheses, side by side.

Every step adds a column for each hypothesis; a mask says which columns a hypothesis may look at:
those of what it said itself. So what is said stays where it lies: when hypotheses change places or
go on twice, rows of the mask move and no key does, and one product of all hypotheses of a source
with all its columns is what attention computes. Only when sources leave are columns copied, and then
those that nobody looks at any more are left out.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROOM = 64  # columns that a new cache has room for


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """Columns of every entry (keys or values of one layer), and the mask as a bias of scores."""

    columns: Float[Tensor, "entries sources groups capacity width"]
    bias: Float[Tensor, "sources beams filled"]  # 0, or minus infinity where it may not look

    @property
    def filled(self) -> int:
        """How many columns hold something."""
        return self.bias.shape[2]

    def grown(self) -> "Cache":
        """With one more column for each hypothesis, which it alone may look at; still empty."""
        sources, beams, filled = self.bias.shape
        own = self.bias.new_full((beams, beams), float("-inf")).fill_diagonal_(0)
        bias = torch.cat([self.bias, own.expand(sources, -1, -1)], dim=2)
        columns, capacity = self.columns, self.columns.shape[3]
        if filled + beams > capacity:
            room = max(capacity, ROOM, beams)
            columns = torch.cat([columns, _empty(columns, columns.shape[1], room)], dim=3)
        return Cache(columns, bias)

    def fill(self, entry: int, vectors: Float[Tensor, "hypotheses groups_width"]) -> None:
        """Put what this step adds to an entry into the last columns."""
        sources, beams, filled = self.bias.shape
        groups = self.columns.shape[2]
        rows = vectors.view(sources, beams, groups, -1).transpose(1, 2)
        self.columns[entry, :, :, filled - beams : filled] = rows

    def of(self, entry: int) -> Float[Tensor, "sources groups filled width"]:
        """All that an entry holds."""
        return self.columns[entry, :, :, : self.filled]

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "Cache":
        """These sources (None: all), and these hypotheses of each."""
        bias = self.bias if sources is None else self.bias[sources]
        bias = bias.take_along_dim(beams[:, :, None], 1)
        if sources is None:
            return replace(self, bias=bias)
        seen = (bias == 0).any(1)  # [kept, filled]
        width = int(seen.sum(1).max()) if len(seen) else 0
        # What is seen comes first; the rest up to the common width is masked as it was.
        places = (~seen).int().sort(dim=1, stable=True).indices[:, :width]
        return Cache(self._moved(sources, places), bias.take_along_dim(places[:, None], 2))

    def _moved(
        self, sources: Int[Tensor, " kept"], places: Int[Tensor, "kept width"]
    ) -> Float[Tensor, "entries kept groups capacity width"]:
        """A copy of these columns, with room for what follows."""
        entries, all_sources, groups, capacity, _ = self.columns.shape
        width = places.shape[1]
        block = torch.arange(entries * groups, device=places.device).view(entries, 1, groups, 1)
        block = block // groups * (all_sources * groups) + block % groups
        rows = (block + sources[:, None, None] * groups) * capacity + places[:, None]
        flat = self.columns.view(-1, self.columns.shape[4]).index_select(0, rows.flatten())
        moved = _empty(self.columns, len(sources), width + max(ROOM, width // 2))
        moved[:, :, :, :width] = flat.view(entries, len(sources), groups, width, -1)
        return moved


def no_columns(
    like: Tensor, *, entries: int, sources: int, groups: int, width: int
) -> Cache:
    """Before the first step: one hypothesis a source."""
    columns = like.new_empty(entries, sources, groups, ROOM, width)
    return Cache(columns, like.new_empty(sources, 1, 0))


def _empty(columns: Tensor, sources: int, room: int) -> Tensor:
    entries, _, groups, _, width = columns.shape
    return columns.new_empty(entries, sources, groups, room, width)
