"""Near: texts that share most of their character 5-grams with one of a set of texts.

Similarity is Jaccard's: grams in common over grams in either. Of two texts of similarity t or more,
x shares with y at least t·|x| grams, so among any |x| - ceil(t·|x|) + k grams of x k are y's; the
rarest of x find few candidates in vain (prefix filtering, Chaudhuri et al. 2006). A low threshold
costs more: 0.1 ms a row at 0.8, 0.3 ms at 0.6, with 2,000 texts of a sentence in the set.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import Array
from pipeline.arrow import compute as pc
from pipeline.fingerprints import mix

GRAM = 5
NEEDED = 4  # shared grams among the rarest before two texts are compared: speed only
ROWS = 1_024  # texts looked up at a time, fewer where
MOST_ENTRIES = 1 << 21  # so many entries would be looked at together
_ODD = np.uint64(0x9E3779B97F4A7C15)
Integers = NDArray[np.int64]
Hashes = NDArray[np.uint64]


@dataclass(frozen=True)
class NearIndex:
    """The grams of a set of texts, from gram to texts and from text to grams."""

    threshold: float
    grams: Hashes  # sorted; one entry for each text that has the gram
    texts: Integers  # the text of each entry
    counts: Integers  # grams of each text
    members: Hashes  # sorted: one number for each pair of text and gram

    @classmethod
    def of(cls, parts: list[Array], threshold: float) -> "NearIndex":
        """The index of the different texts of all parts."""
        texts = pc.unique(pa.chunked_array(parts, pa.string()))
        rows, grams, counts = _grams(texts)
        order = np.argsort(grams, kind="stable")
        members = np.sort(_member(rows, grams))
        return cls(threshold, grams[order], rows[order], counts, members)

    def has(self, texts: Array) -> NDArray[np.bool_]:
        """Which of the texts are as similar as the threshold to one of the set."""
        slices = [texts.slice(first, ROWS) for first in range(0, len(texts), ROWS)]
        return np.concatenate([np.zeros(0, bool), *map(self._has, slices)])

    def _has(self, texts: Array) -> NDArray[np.bool_]:
        rows, grams, counts = _grams(texts)
        first = np.searchsorted(self.grams, grams, "left")
        often = np.searchsorted(self.grams, grams, "right") - first
        order = np.lexsort((grams, often, rows))  # the rarest grams of each row first
        rank = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
        common = np.ceil(self.threshold * counts).astype(np.int64)  # at least so many
        needed = np.minimum(NEEDED, common)
        asked = order[(rank < (counts - common + needed)[rows]) & (often[order] > 0)]
        if often[asked].sum() > MOST_ENTRIES and len(texts) > 1:
            half = len(texts) // 2  # one text alone meets each entry of the index once at most
            return np.concatenate([self._has(texts.slice(0, half)), self._has(texts.slice(half))])
        found = np.zeros(len(texts), bool)
        if len(asked):
            at = _ranges(first[asked], often[asked])
            pairs = self._candidates(np.repeat(rows[asked], often[asked]), at, counts, needed)
            for part in _parts(pairs, counts[pairs[:, 0]]):
                unknown = part[~found[part[:, 0]]]
                found[self._similar(unknown, rows, grams, counts)] = True
        return found

    def _candidates(self, rows: Integers, at: Integers, counts: Integers, needed: Integers) -> Any:
        """Distinct [row, text] of like length that met as often as needed; `at`: entries met."""
        texts = self.texts[at]
        width = len(self.counts)
        met, times = np.unique(rows * width + texts, return_counts=True)
        pairs = np.stack(np.divmod(met, width), axis=1)
        fewer, more = np.sort([counts[pairs[:, 0]], self.counts[pairs[:, 1]]], axis=0)
        return pairs[(fewer >= self.threshold * more) & (times >= needed[pairs[:, 0]])]

    def _similar(self, pairs: Any, rows: Integers, grams: Hashes, counts: Integers) -> Integers:
        """The rows of those (row, text) pairs whose similarity reaches the threshold."""
        if not len(pairs):
            return pairs[:, 0]
        widths = counts[pairs[:, 0]]
        at = _ranges(np.searchsorted(rows, pairs[:, 0]), widths)
        wanted = _member(np.repeat(pairs[:, 1], widths), grams[at])
        place = np.minimum(np.searchsorted(self.members, wanted), len(self.members) - 1)
        common = np.add.reduceat(self.members[place] == wanted, np.cumsum(widths) - widths)
        union = widths + self.counts[pairs[:, 1]] - common
        return pairs[common >= self.threshold * union, 0]


def _parts(pairs: Any, widths: Integers) -> list[Any]:
    """The pairs in parts whose widths add up to about `MOST_ENTRIES`."""
    part = np.cumsum(widths) // MOST_ENTRIES
    return np.split(pairs, np.flatnonzero(np.diff(part)) + 1)


def _ranges(first: Integers, widths: Integers) -> Integers:
    """`first[i], first[i] + 1, …`, `widths[i]` numbers of each, end to end."""
    return np.repeat(first - (np.cumsum(widths) - widths), widths) + np.arange(widths.sum())


def _member(texts: Integers, grams: Hashes) -> Hashes:
    return mix(grams + mix(texts.astype(np.uint64) * _ODD))


def _grams(texts: Array) -> tuple[Integers, Hashes, Integers]:
    """Row and hash of every distinct gram of every row, by row; and how many a row has.

    A text of fewer than five characters is one gram; an empty text has none.
    """
    strings = texts.to_pylist()
    points = np.frombuffer("".join(strings).encode("utf-32-le"), np.uint32).astype(np.uint64)
    lengths = np.fromiter(map(len, strings), np.int64, len(strings))
    points = np.concatenate([points, np.zeros(GRAM, np.uint64)])
    per_row = np.where(lengths == 0, 0, np.maximum(lengths - GRAM + 1, 1))
    rows = np.repeat(np.arange(len(strings)), per_row)
    starts = np.repeat(np.cumsum(lengths) - lengths - (np.cumsum(per_row) - per_row), per_row)
    starts = starts + np.arange(per_row.sum())
    hashes = np.zeros(len(rows), np.uint64)
    for place in range(GRAM):
        inside = place < lengths[rows]
        mixed = mix(hashes * _ODD + points[starts + place] + np.uint64(1))
        hashes = np.where(inside, mixed, hashes)
    return _distinct(rows, hashes, len(strings))


def _distinct(rows: Integers, hashes: Hashes, count: int) -> tuple[Integers, Hashes, Integers]:
    order = np.lexsort((hashes, rows))
    rows, hashes = rows[order], hashes[order]
    new = np.ones(len(rows), bool)
    new[1:] = (rows[1:] != rows[:-1]) | (hashes[1:] != hashes[:-1])
    rows, hashes = rows[new], hashes[new]
    return rows, hashes, np.bincount(rows, minlength=count).astype(np.int64)
