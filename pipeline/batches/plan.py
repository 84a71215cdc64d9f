"""The plan: which examples a step consumes. A pure function of seed, lengths and position.

Example: 600 blocks, permuted for the epoch, are spread over two windows of 300 blocks. A window is
shuffled as a whole and cut into groups of about `tokens_per_step` target tokens; a step consumes
one group. Which window holds a group follows from sums per block, so resuming at any position costs
the shuffling of one window, and memory holds one window's row numbers and a few numbers a block.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from pipeline.batches.sequences import places

BLOCKS_PER_WINDOW = 256  # at least, where there are so many

Rows = NDArray[np.int64]
Blocks = NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where training stands: the next group is `group` of `window` of `epoch`."""

    epoch: int = 0
    window: int = 0
    group: int = 0


BEGIN = Position()


@dataclass(frozen=True, eq=False)
class Plan:
    """Groups of a corpus. Tokens are target tokens, EOS included."""

    rows: NDArray[np.int64]  # of each block, in the order of the files
    tokens: NDArray[np.int64]  # of each block
    lengths: Callable[[Blocks], NDArray[np.integer]]
    """Tokens of each example of some blocks, one block after another."""
    seed: int
    tokens_per_step: int

    def __post_init__(self) -> None:
        """Our own invariants."""
        assert len(self.rows) == len(self.tokens), (len(self.rows), len(self.tokens))
        assert len(self.rows) > 0, "a plan needs examples"

    @cached_property
    def windows(self) -> int:
        """Windows of an epoch."""
        return max(1, len(self.rows) // BLOCKS_PER_WINDOW)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The first row of every block."""
        return np.cumsum(self.rows) - self.rows

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        """The place in an epoch's order where each window begins; the first ones may be longer."""
        fewest, more = divmod(len(self.rows), self.windows)
        windows = np.arange(self.windows)
        return windows * fewest + np.minimum(windows, more)

    def blocks(self, epoch: int, window: int) -> Blocks:
        """The blocks of a window, in the epoch's order."""
        begin, *end = self._begins[window : window + 2].tolist()
        return _order(self.seed, epoch, len(self.rows))[begin : end[0] if end else None]

    def group_counts(self, epoch: int) -> NDArray[np.int64]:
        """Groups of each window of an epoch, from sums per block."""
        order = _order(self.seed, epoch, len(self.rows))
        rows = np.add.reduceat(self.rows[order], self._begins)
        return self._groups(rows, np.add.reduceat(self.tokens[order], self._begins))

    def _groups(self, rows: NDArray[np.int64], tokens: NDArray[np.int64]) -> NDArray[np.int64]:
        """Groups of windows of so much: at least one, at most one an example."""
        return np.clip(np.rint(tokens / self.tokens_per_step).astype(np.int64), 1, rows)

    def groups(self, epoch: int, window: int) -> list[Rows]:
        """Every group of a window: row numbers; an example's place there is its index."""
        blocks = self.blocks(epoch, window)
        rows, tokens = self.rows[blocks], self.lengths(blocks)
        count = int(self._groups(rows.sum(), self.tokens[blocks].sum()))
        order = _random(self.seed, epoch, 1 + window).permutation(len(tokens))
        return np.split(places(self._starts[blocks], rows)[order], _cuts(tokens[order], count))

    def seek(self, groups: int, start: Position = BEGIN) -> Position:
        """The position so many groups after `start`, from sums per block: no group is made."""
        epoch, counts = start.epoch, self.group_counts(start.epoch)
        left = groups + start.group + int(counts[: start.window].sum())
        while left >= counts.sum():
            left -= int(counts.sum())
            epoch += 1
            counts = self.group_counts(epoch)
        ends = np.cumsum(counts)
        window = int(np.searchsorted(ends, left, side="right"))
        return Position(epoch, window, left - int(ends[window] - counts[window]))

    def epochs(self, groups: int) -> float:
        """How often every example was seen after so many groups."""
        position = self.seek(groups)
        counts = self.group_counts(position.epoch)
        return position.epoch + (counts[: position.window].sum() + position.group) / counts.sum()

    def walk(self, start: Position) -> Iterator[tuple[Position, Rows]]:
        """Endlessly, from `start` on: each group, with the position that follows it."""
        position = start
        while True:
            groups = self.groups(position.epoch, position.window)
            assert position.group < len(groups), (position, len(groups))  # it is of another plan
            for number in range(position.group, len(groups)):
                position = self._after(position.epoch, position.window, number, len(groups))
                yield position, groups[number]

    def _after(self, epoch: int, window: int, group: int, groups: int) -> Position:
        if group + 1 < groups:
            return Position(epoch, window, group + 1)
        if window + 1 < self.windows:
            return Position(epoch, window + 1, 0)
        return Position(epoch + 1, 0, 0)


@lru_cache(maxsize=2)  # the present epoch's, and the next one's at its end
def _order(seed: int, epoch: int, blocks: int) -> Blocks:
    """The blocks of an epoch in its order."""
    return _random(seed, epoch, 0).permutation(blocks)


def _random(seed: int, epoch: int, purpose: int) -> np.random.Generator:
    """Philox keyed by (seed, epoch, purpose): 0 orders the blocks, 1 + w shuffles window w."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch, purpose])))


def _cuts(tokens: NDArray[np.integer], count: int) -> NDArray[np.int64]:
    """Where to cut so that `count` groups hold equal tokens; none is empty."""
    ends = np.cumsum(tokens)
    numbers = np.arange(1, count)
    middles = ends - tokens / 2
    cuts = np.searchsorted(middles, numbers * (ends[-1] / count))
    cuts = np.maximum.accumulate(cuts - numbers) + numbers  # each cut after the one before
    return np.clip(cuts, numbers, len(tokens) - count + numbers)
