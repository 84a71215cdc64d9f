"""Sequences of ids that lie in one array, and how some of them are laid end to end.

Example: `[31]` and `[21, 22]` are values `[21, 22, 3, 31, 0]` with starts `[3, 0]` and lengths
`[1, 2]`.
Nothing here works example by example: where ids lie is computed for all of them at once.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int32]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Sequences:
    """`lengths` ids of `values` from `starts` on; an id more may be read after each of them."""

    values: Ids
    starts: Numbers
    lengths: Numbers

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, which: slice | Numbers) -> "Sequences":
        """Some of them, in the order asked for; no id is copied."""
        return Sequences(self.values, self.starts[which], self.lengths[which])

    def apart(self) -> list[Ids]:
        """An array for each: for who needs few of them one by one."""
        ends = (self.starts + self.lengths).tolist()
        pairs = zip(self.starts.tolist(), ends, strict=True)
        return [self.values[start:end] for start, end in pairs]

    def end_to_end(self, *, more: int = 0) -> Numbers:
        """All ids in order; of each sequence `more` ids (0 or 1) beyond its end."""
        return self.values[places(self.starts, self.lengths + more)].astype(np.int64)


def places(starts: Numbers, lengths: Numbers) -> Numbers:
    """`lengths` consecutive numbers from each of `starts` on: one run after the other."""
    ends = np.cumsum(lengths)
    found = np.repeat(starts - (ends - lengths), lengths)
    found += np.arange(len(found))
    return found


def sequences(lists: Iterable[Ids]) -> Sequences:
    """Sequences of ids that lie apart."""
    parts = [np.asarray(ids, np.int32) for ids in lists]
    lengths = np.array([len(part) for part in parts], np.int64)
    return joined(parts, np.cumsum(lengths) - lengths, lengths)


def joined(parts: Iterable[Ids], starts: Numbers, lengths: Numbers) -> Sequences:
    """Sequences in parts that are laid one after the other, and an id more at the end."""
    return Sequences(np.concatenate([*parts, np.zeros(1, np.int32)]), starts, lengths)
