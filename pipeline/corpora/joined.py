"""Joined references: rows of one source in valid or test become one row with all their targets.

Example (CMUdict): "ABS\\tAE B Z" and "ABS\\tEY B IY EH S" are one item of the test with two
pronunciations, either of which is right. In train each row stays an example of its own.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.rows import ROWS


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows that are left, and what became of the others: rows = kept + joined + repeated."""

    rows: RecordBatch
    joined: int  # gave the row of their source a further reference
    repeated: int  # said again what a row of their source had said


class Waiting:
    """Rows of valid and test until their corpus has ended; memory grows with these alone."""

    def __init__(self) -> None:
        self._held: list[RecordBatch] = []

    def hold(self, rows: RecordBatch) -> RecordBatch:
        """Keep what may still be joined; what is left of the batch, that is train, goes on."""
        train = pc.equal(rows["split"], "train")
        self._held.append(rows.filter(pc.invert(train)))
        return rows.filter(train)

    def joined(self) -> Joined:
        """What was held, each source of a split once, in the order of their first rows."""
        table = pa.Table.from_batches(self._held, ROWS).combine_chunks()
        self._held = []
        batches = table.to_batches()
        return joined(batches[0]) if batches else Joined(_none(), 0, 0)


def joined(rows: RecordBatch) -> Joined:
    """Rows of equal split and source as one: the first, with every different reference in order."""
    item = _numbers(pc.binary_join_element_wise(rows["split"], rows["source"], "\t"))
    first = np.unique(item, return_index=True)[1]
    texts = pc.list_flatten(rows["references"])
    origin = np.asarray(pc.list_parent_indices(rows["references"]))
    owner = item[origin]
    said = owner * np.int64(len(texts) + 1) + _numbers(texts)
    new = np.sort(np.unique(said, return_index=True)[1])
    new = new[np.argsort(owner[new], kind="stable")]
    offsets = np.zeros(len(first) + 1, np.int32)
    np.cumsum(np.bincount(owner[new], minlength=len(first)), out=offsets[1:])
    references = pa.ListArray.from_arrays(pa.array(offsets), texts.take(pa.array(new)))
    left = rows.take(pa.array(first)).set_column(
        ROWS.get_field_index("references"), ROWS.field("references"), references
    )
    adds = np.zeros(len(item), bool)
    adds[origin[new]] = True
    adds[first] = False
    joins = int(adds.sum())
    return Joined(left, joins, len(item) - len(first) - joins)


def _numbers(texts: Array) -> np.ndarray:
    """Equal texts have equal numbers, which rise in the order of their first occurrence."""
    return np.asarray(texts.dictionary_encode().indices).astype(np.int64)


def _none() -> RecordBatch:
    return pa.record_batch([pa.array([], field.type) for field in ROWS], schema=ROWS)
