"""Leak: what occurs in valid or test has no place in train.

Example: the test holds "Ein Hund läuft."; a training row with that source goes, and with
`near_threshold: 0.8` also one with "Ein Hund läuft!!".
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.cleaning.near import NearIndex
from pipeline.cleaning.rule import HeldOutRule, Judgement
from pipeline.fingerprints import Fingerprints, fingerprints, paired

LeakKey = Literal["source", "pair", "either"]


class Leak(HeldOutRule):
    """Drop what is held out, exactly (128-bit fingerprints), and nearly if a threshold is set."""

    leak_key: LeakKey = "source"
    """source: the same source; pair: the same pair; either: the same source or the same target."""
    near_threshold: float | None = Field(None, gt=0, lt=1)
    """Jaccard similarity of character 5-grams from which on a row leaks too; null: exact only."""

    def against(self, held_out: Iterable[RecordBatch]) -> Judgement:
        """Memory: 16 bytes for each row that is held out; about 1 kB a text with near_threshold."""
        keys: list[list[Fingerprints]] = []
        texts: list[list[Array]] = []
        for rows in held_out:
            columns = _columns(rows, self.leak_key)
            keys.append([_key(column) for column in columns])
            if self.near_threshold is not None:
                texts.append([_joined(column) for column in columns])
        exact = tuple(Known.of(list(side)) for side in zip(*keys, strict=True))
        near: tuple[NearIndex, ...] = ()
        if self.near_threshold is not None:
            sides = zip(*texts, strict=True)
            near = tuple(NearIndex.of(list(side), self.near_threshold) for side in sides)
        return Held(self.leak_key, exact, near)


@dataclass(frozen=True)
class Known:
    """A set of fingerprints, sorted by their high half."""

    high: NDArray[np.uint64]
    low: NDArray[np.uint64]

    @classmethod
    def of(cls, parts: list[Fingerprints]) -> "Known":
        """The set of all fingerprints of the parts."""
        keys = np.concatenate([np.empty((0, 2), np.uint64), *parts])
        order = np.lexsort((keys[:, 1], keys[:, 0]))
        keys = keys[order]
        new = np.ones(len(keys), bool)
        new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
        return cls(keys[new, 0].copy(), keys[new, 1].copy())

    def has(self, keys: Fingerprints) -> NDArray[np.bool_]:
        """Which of the keys are in the set."""
        found = np.zeros(len(keys), bool)
        at = np.searchsorted(self.high, keys[:, 0])
        open_ = np.flatnonzero(at < len(self.high))
        while len(open_):  # once, and again only for equal high halves
            open_ = open_[self.high[at[open_]] == keys[open_, 0]]
            found[open_] |= self.low[at[open_]] == keys[open_, 1]
            at[open_] += 1
            open_ = open_[at[open_] < len(self.high)]
        return found


@dataclass(frozen=True)
class Held:
    """The judgement: does a row's key occur among those held out?"""

    leak_key: LeakKey
    exact: tuple[Known, ...]
    near: tuple[NearIndex, ...] = field(default=())

    def __call__(self, rows: RecordBatch) -> Array:
        """True for each row that leaks."""
        drop: Any = np.zeros(rows.num_rows, bool)
        for place, column in enumerate(_columns(rows, self.leak_key)):
            if self.exact:
                drop |= self.exact[place].has(_key(column))
            if self.near:
                drop |= self.near[place].has(_joined(column))
        return pa.array(drop)


def _columns(rows: RecordBatch, leak_key: LeakKey) -> list[list[Array]]:
    """What is compared: for each comparison the texts that make up its key."""
    source, target = rows["source"], rows["target"]
    return {"source": [[source]], "pair": [[source, target]], "either": [[source], [target]]}[
        leak_key
    ]


def _key(column: list[Array]) -> Fingerprints:
    keys = [fingerprints(texts) for texts in column]
    return keys[0] if len(keys) == 1 else paired(keys[0], keys[1])


def _joined(column: list[Array]) -> Array:
    return column[0] if len(column) == 1 else pc.binary_join_element_wise(*column, "\t")
