"""From rows to examples: task, pieces, bounds. A function of a batch that can travel."""

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.sampler import Draw
from pipeline.shards.schema import EXAMPLES
from pipeline.tasks.task import Task

ENCODED = pa.schema([*EXAMPLES, ("dropped", pa.string()), ("changed", pa.string())])


@dataclass(frozen=True)
class Encoder:
    """Rows → `ENCODED`: over-long rows of train are dropped, with a reason; others are cut.

    Bounds are in ids as stored: EOS counts in sources (and stays when they are cut). Which rows
    stay depends on the best segmentation alone; a drawn one that is too long gives way to it.
    """

    pieces: Pieces
    task: Task
    max_source_pieces: int
    max_target_pieces: int
    draw: Draw | None = None  # the variant to encode; None: the best segmentation

    def __call__(self, rows: RecordBatch) -> RecordBatch:
        """An encoded row for each row."""
        examples = self.task.examples(rows)
        source = self.pieces.source_ids(examples["source"])
        target = self.pieces.target_ids(examples["target"])
        long = [
            _longer(source, self.max_source_pieces),
            _longer(target, self.max_target_pieces),
        ]
        train = np.asarray(pc.equal(rows["split"], "train"))
        end = self.max_source_pieces - 1
        cut_source = [i if len(i) <= end + 1 else [*i[:end], i[-1]] for i in source]
        cut_target = [i[: self.max_target_pieces] for i in target]
        if self.draw:
            names = rows["id"].to_pylist()
            drawn = self.pieces.drawn_source_ids(examples["source"], names, self.draw)
            cut_source = _short(drawn, cut_source, self.max_source_pieces)
            drawn = self.pieces.drawn_target_ids(examples["target"], names, self.draw)
            cut_target = _short(drawn, cut_target, self.max_target_pieces)
        columns = [
            rows["id"],
            _lists(cut_source),
            _lists(cut_target),
            _named(long, train, ("source_too_long", "target_too_long", "both_too_long")),
            _named(long, ~train, ("source_cut", "target_cut", "both_cut")),
        ]
        return pa.record_batch(columns, schema=ENCODED)


def _longer(sequences: list[list[int]], limit: int) -> Any:
    return np.fromiter(map(len, sequences), np.int64, len(sequences)) > limit


def _short(drawn: list[list[int]], best: list[list[int]], limit: int) -> list[list[int]]:
    """What was drawn, or the best segmentation where that is too long."""
    pairs = zip(drawn, best, strict=True)
    return [ids if len(ids) <= limit else instead for ids, instead in pairs]


def _named(long: list[Any], where: Any, names: tuple[str, str, str]) -> Array:
    """names[0] where the first is too long, names[1] the second, names[2] both; else null."""
    code = np.where(where, long[0] + 2 * long[1], 0)
    return pa.array([None, *names], pa.string()).take(pa.array(code))


def _lists(sequences: list[list[int]]) -> Array:
    offsets = np.zeros(len(sequences) + 1, np.int32)
    np.cumsum([len(each) for each in sequences], out=offsets[1:])
    values = np.fromiter(chain.from_iterable(sequences), np.int32, int(offsets[-1]))
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))
