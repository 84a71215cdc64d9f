"""The judge: all rules over one batch. A function of a batch that can travel.

A verdict is the index of the first rule that hits, or `KEPT`. Rules that compare rows with earlier
ones cannot decide here: their keys go along, a column of 16 bytes for each such rule.
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.cleaning.rule import Judgement, RepeatRule
from pipeline.normalise import Normaliser

KEPT = 255
COLUMNS = ["source", "target", "source_language", "target_language"]
_KEY = pa.binary(16)


@dataclass(frozen=True)
class Judge:
    """Rows → `verdict`, and `key_0`, `key_1`, … of the rules that compare rows with each other."""

    normaliser: Normaliser
    judgements: tuple[tuple[int, Judgement], ...]  # index of the rule in the order of all rules
    repeats: tuple[RepeatRule, ...]

    def __call__(self, rows: RecordBatch) -> RecordBatch:
        """A verdict and keys for each row."""
        seen = normalised(rows, self.normaliser)
        verdicts = np.full(rows.num_rows, KEPT, np.uint8)
        for index, judgement in self.judgements:
            hit = np.asarray(judgement(seen))
            verdicts[hit & (verdicts == KEPT)] = index
        keys = [pa.py_buffer(np.ascontiguousarray(rule.keys(seen))) for rule in self.repeats]
        columns = [pa.FixedSizeBinaryArray.from_buffers(_KEY, len(seen), [None, k]) for k in keys]
        names = [f"key_{place}" for place in range(len(keys))]
        return pa.record_batch([pa.array(verdicts), *columns], names=["verdict", *names])


def normalised(rows: RecordBatch, normaliser: Normaliser) -> RecordBatch:
    """The columns that rules see, texts in their normal form."""
    texts = [normaliser.array(rows[side]) for side in COLUMNS[:2]]
    languages = [rows[name] for name in COLUMNS[2:]]
    return pa.record_batch([*texts, *languages], names=COLUMNS)
