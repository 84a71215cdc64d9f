"""Edits: the least insertions, deletions and substitutions from one sequence to another.

Example: from [a, b, c] to [b, c, d] it takes 2 (Levenshtein 1966). All pairs at once: the table of
each pair (Wagner & Fischer 1974) is filled row by row, a row of every table in a few operations.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

CELLS = 1 << 20  # of the tables' rows that are worked on at once

Units = Sequence[Hashable]


def edits(first: Sequence[Units], second: Sequence[Units]) -> NDArray[np.int64]:
    """The edits [pairs] from each of `first` to its partner in `second`."""
    numbers: dict[Hashable, int] = {}
    sides = [
        [
            np.array([numbers.setdefault(unit, len(numbers)) for unit in one], np.int32)
            for one in side
        ]
        for side in (first, second)
    ]
    lengths = [np.array([len(one) for one in side], np.int64) for side in sides]
    found = np.zeros(len(first), np.int64)
    order = np.lexsort((lengths[0], lengths[1]))  # alike ones side by side: little padding
    start = 0
    while start < len(order):
        end = _end(lengths[1][order], start)
        pairs = order[start:end]
        found[pairs] = _tables(*[_padded([side[pair] for pair in pairs]) for side in sides])
        start = end
    return found


def _end(rising: NDArray[np.int64], start: int) -> int:
    """How far a block goes whose tables' rows have at most `CELLS` cells; at least one pair."""
    cells = (rising[start:] + 1) * np.arange(1, len(rising) - start + 1)
    return start + max(1, int(np.searchsorted(cells, CELLS, side="right")))


def _padded(side: list[NDArray[np.int32]]) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """[pairs, longest] with -1 for nothing, and the lengths [pairs]."""
    lengths = np.array([len(one) for one in side], np.int64)
    padded = np.full((len(side), int(lengths.max(initial=0))), -1, np.int32)
    for row, one in enumerate(side):
        padded[row, : len(one)] = one
    return padded, lengths


def _tables(
    first: tuple[NDArray[np.int32], NDArray[np.int64]],
    second: tuple[NDArray[np.int32], NDArray[np.int64]],
) -> NDArray[np.int64]:
    """The last cell of each pair's table, where its two lengths meet."""
    (left, heights), (above, widths) = first, second
    pairs = np.arange(len(widths))
    steps = np.arange(above.shape[1] + 1)
    row = np.broadcast_to(steps, (len(widths), len(steps))).copy()
    found = widths.copy()
    for place in range(left.shape[1]):
        others = np.empty_like(row)
        others[:, 0] = place + 1
        differs = left[:, place, None] != above
        np.minimum(row[:, 1:] + 1, row[:, :-1] + differs, out=others[:, 1:])
        # A cell from its left neighbour costs 1 more: the least of all cells before, step by step.
        row = np.minimum.accumulate(others - steps, axis=1) + steps
        ends = heights == place + 1
        found[ends] = row[pairs[ends], widths[ends]]
    return found
