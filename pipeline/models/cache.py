"""What self-attention remembers in a search: keys and values of a source's hypotheses together.

Every step puts a column for each hypothesis; a mask says which columns a hypothesis may look at:
those of what it said itself. So what is said stays where it lies: when hypotheses change places or
go on twice, rows of the mask move and no key does, and one product of all hypotheses of a source
with all its columns is what attention computes. A column that nobody looks at any more is given to
the next who speaks, so that there are little more columns than steps and hypotheses. When a source
leaves, another one takes its place: that one's columns are copied, and no others.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Tensor

ROOM = 32  # columns by which the room grows at least
STRIDE = 4  # the width is a multiple of it, so that it seldom changes
WHOLE = 16  # numbers: 64 bytes in fp32, the widest vector that there is


@dataclass(frozen=True, slots=True, eq=False)
class Cache:
    """Columns of every layer's keys and values, and the mask as a bias of scores.

    `steady`: a step uses new columns, so that the width depends on nothing but the steps; and it is
    a multiple of WHOLE, so that every row of weights begins at a whole vector of the processor.
    """

    columns: Float[Tensor, "layers two places groups room width"]  # the first places are in use
    bias: Float[Tensor, "sources beams columns"]  # 0, or minus infinity where it may not look
    steady: bool
    used: int = 0  # of a steady cache: columns that somebody has or had
    last: Int[Tensor, " rows"] | None = None  # where this step's lie in a layer that is laid flat

    @property
    def width(self) -> int:
        """How many columns are in use, or were."""
        return self.bias.shape[2]

    def grown(self) -> "Cache":
        """With a column for each hypothesis' next id, which it alone may look at; still empty."""
        taken, more = self._taken()
        bias = torch.nn.functional.pad(self.bias, (0, more), value=float("-inf"))
        beams = bias.shape[1]
        own = taken.sort(dim=1, stable=True).indices[:, :beams]  # the first that nobody looks at
        bias = bias.scatter(2, own[:, :, None], 0.0)
        columns = self._with_room(bias.shape[2])
        used = self.used + beams
        return replace(self, columns=columns, bias=bias, used=used, last=_rows(columns, own))

    def _taken(self) -> tuple[Int[Tensor, "sources columns"], int]:
        """1 for each column that somebody looks at, 0 for the free ones; how many of these are new,
        so that all sources have enough.
        """
        sources, beams, width = self.bias.shape
        if self.steady:
            seen = self.bias.new_zeros(sources, width, dtype=torch.int64)
            seen[:, : self.used] = 1
            more = max(0, -(-(self.used + beams) // WHOLE) * WHOLE - width)
        else:
            seen = (self.bias == 0).any(1).long()
            most = int(seen.sum(1).max()) if seen.numel() else 0
            more = max(0, -(-(most + beams) // STRIDE) * STRIDE - width)
        return torch.nn.functional.pad(seen, (0, more)), more

    def _with_room(self, width: int) -> Tensor:
        """Columns for this width. What nobody wrote is 0: a weight of 0 times it is 0."""
        columns, room = self.columns, self.columns.shape[4]
        if width <= room:
            return columns
        layers, two, _, groups, _, channels = columns.shape
        more = max(ROOM, room, width - room)
        wider = columns.new_empty(layers, two, len(self.bias), groups, room + more, channels)
        wider[:, :, :, :, :room] = columns[:, :, : len(self.bias)]
        wider[:, :, :, :, room:] = 0  # and no more: a search waits for it
        return wider

    def fill(
        self,
        layer: int,
        keys: Float[Tensor, "sources beams groups_width"],
        values: Float[Tensor, "sources beams groups_width"],
    ) -> None:
        """Put what this step adds to a layer into its columns."""
        assert self.last is not None
        width = self.columns.shape[5]
        rows = torch.stack([keys, values]).view(-1, width)
        self.columns[layer].view(-1, width).index_copy_(0, self.last, rows)

    def of(
        self, layer: int
    ) -> tuple[
        Float[Tensor, "sources groups columns width"], Float[Tensor, "sources groups columns width"]
    ]:
        """All keys and values of a layer."""
        keys, values = self.columns[layer, :, : len(self.bias), :, : self.width]
        return keys, values

    def select(
        self, sources: Int[Tensor, " kept"] | None, beams: Int[Tensor, "kept beams"]
    ) -> "Cache":
        """These sources (None: all), and these hypotheses of each. Columns move where they lie."""
        bias = self.bias
        if sources is not None:
            self._move(sources)
            bias = bias.index_select(0, sources)
        places = beams[:, :, None].expand(-1, -1, bias.shape[2])
        return replace(self, bias=bias.gather(1, places), last=None)

    def _move(self, sources: Int[Tensor, " kept"]) -> None:
        """Bring each source's columns to its place, unless they lie there."""
        moved = (sources != torch.arange(len(sources), device=sources.device)).nonzero()[:, 0]
        if len(moved):
            used = self.columns[:, :, :, :, : self.width]
            used.index_copy_(2, moved, used.index_select(2, sources[moved]))


def no_columns(
    like: Tensor, *, layers: int, sources: int, groups: int, width: int, steady: bool = False
) -> Cache:
    """Before the first step: one hypothesis a source."""
    columns = like.new_zeros(layers, 2, sources, groups, ROOM, width)
    return Cache(columns, like.new_empty(sources, 1, 0), steady)


def _rows(
    columns: Float[Tensor, "layers two places groups room width"],
    own: Int[Tensor, "sources beams"],
) -> Int[Tensor, " rows"]:
    """Each hypothesis' own column in each group of keys and of values, of a layer laid flat."""
    _, two, places, groups, room, _ = columns.shape
    block = torch.arange(two * places * groups, device=own.device) * room
    block = block.view(two, places, 1, groups)[:, : len(own)]
    return (block + own[:, :, None]).flatten()
