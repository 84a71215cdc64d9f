"""The plan: which examples a step consumes. A pure function of seed, lengths and position.

Example: 600 blocks, permuted for the epoch, are spread over two windows of 300 blocks. A window is
shuffled as a whole and cut into groups of about `tokens_per_step` target tokens; a step consumes
one group. Which window holds a group follows from sums per block, so resuming at any position costs
the shuffling of one window, and memory holds one window's row numbers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

BLOCKS_PER_WINDOW = 256  # at least, where there are so many

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """Where training stands: the next group is `group` of `window` of `epoch`."""

    epoch: int = 0
    window: int = 0
    group: int = 0


@dataclass(frozen=True, eq=False)
class Plan:
    """Groups of a corpus. `tokens` counts an example's target tokens, EOS included."""

    tokens: NDArray[np.int64]  # per example, in the order of the files
    rows_per_block: tuple[int, ...]
    seed: int
    tokens_per_step: int

    def __post_init__(self) -> None:
        """Our own invariants."""
        assert sum(self.rows_per_block) == len(self.tokens), (len(self.tokens), self.rows_per_block)
        assert len(self.tokens) > 0, "a plan needs examples"

    @cached_property
    def windows(self) -> int:
        """Windows of an epoch."""
        return max(1, len(self.rows_per_block) // BLOCKS_PER_WINDOW)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """The first row of every block, and the end of the last."""
        return np.concatenate([[0], np.cumsum(self.rows_per_block)]).astype(np.int64)

    @cached_property
    def _block_tokens(self) -> NDArray[np.int64]:
        sums = np.concatenate([[0], np.cumsum(self.tokens, dtype=np.int64)])
        return sums[self._starts[1:]] - sums[self._starts[:-1]]

    def blocks(self, epoch: int, window: int) -> NDArray[np.int64]:
        """The blocks of a window, in the epoch's order."""
        order = _random(self.seed, epoch, 0).permutation(len(self.rows_per_block))
        return np.array_split(order, self.windows)[window]

    def group_count(self, epoch: int, window: int) -> int:
        """Groups of a window, from sums per block: at least one, at most one an example."""
        blocks = self.blocks(epoch, window)
        rows = int(np.diff(self._starts)[blocks].sum())
        tokens = int(self._block_tokens[blocks].sum())
        return max(1, min(rows, round(tokens / self.tokens_per_step)))

    def groups(self, epoch: int, window: int) -> list[Rows]:
        """Every group of a window: row numbers; an example's place there is its index."""
        blocks = self.blocks(epoch, window)
        rows = np.concatenate([np.arange(*self._starts[b : b + 2].tolist()) for b in blocks])
        rows = _random(self.seed, epoch, 1 + window).permutation(rows)
        return np.split(rows, _cuts(self.tokens[rows], self.group_count(epoch, window)))

    def walk(self, start: Position) -> Iterator[tuple[Position, Rows]]:
        """Endlessly, from `start` on: each group, with the position that follows it."""
        position = start
        while True:
            groups = self.groups(position.epoch, position.window)
            for number in range(position.group, len(groups)):
                position = self._after(position.epoch, position.window, number, len(groups))
                yield position, groups[number]

    def _after(self, epoch: int, window: int, group: int, groups: int) -> Position:
        if group + 1 < groups:
            return Position(epoch, window, group + 1)
        if window + 1 < self.windows:
            return Position(epoch, window + 1, 0)
        return Position(epoch + 1, 0, 0)


def _random(seed: int, epoch: int, purpose: int) -> np.random.Generator:
    """Philox keyed by (seed, epoch, purpose): 0 orders the blocks, 1 + w shuffles window w."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, epoch, purpose])))


def _cuts(tokens: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Where to cut so that `count` groups hold equal tokens; none is empty."""
    ends = np.cumsum(tokens)
    numbers = np.arange(1, count)
    middles = ends - tokens / 2
    cuts = np.searchsorted(middles, numbers * (ends[-1] / count))
    cuts = np.maximum.accumulate(cuts - numbers) + numbers  # each cut after the one before
    return np.clip(cuts, numbers, len(tokens) - count + numbers)
