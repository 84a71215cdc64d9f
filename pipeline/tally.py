"""A tally: what becomes of the rows of a stage, by corpus and reason, with samples; then Ledgers.

Example: `add(rows, reasons)` with the reasons null, "same", null counts two kept rows and one
dropped by the rule `same`, and keeps `"train:2\\tHallo\\tHallo"` as a sample of it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow import Array, RecordBatch
from pipeline.records import Ledger

LONGEST_SAMPLE = 300  # characters of a side


class Tally:
    """Counts batch after batch. Memory depends on corpora, rules and samples only."""

    def __init__(self, stage: str, samples_per_rule: int = 0) -> None:
        self.stage = stage
        self.samples_per_rule = samples_per_rule
        self._rows = defaultdict[str, Counter[str | None]](Counter)  # reason, or None: kept
        self._changed = defaultdict[str, Counter[str]](Counter)
        self._samples = defaultdict[str, defaultdict[str, list[str]]](lambda: defaultdict(list))

    def add(self, rows: RecordBatch, reasons: Array) -> None:
        """Rows (corpus, id, source, target), each dropped for a reason, or kept (null)."""
        for corpus, reason, places in _grouped(rows["corpus"], reasons):
            self._rows[corpus][reason] += len(places)
            if reason is not None:
                kept = self._samples[corpus][reason]
                missing = self.samples_per_rule - len(kept)
                kept += [_sample(rows, int(place)) for place in places[: max(missing, 0)]]

    def change(self, rows: RecordBatch, notes: Array) -> None:
        """Rows that were kept but changed, or are remarkable, as the note says (or null: not)."""
        for corpus, note, places in _grouped(rows["corpus"], notes):
            if note is not None:
                self._changed[corpus][note] += len(places)

    def ledgers(self, *, read: int, held: int) -> list[Ledger]:
        """One a corpus, in the order in which they came.

        `read`: rows that the inputs hold; `held`: rows that the writers took. Both are counted
        there, not here, so a row that was lost on the way is found.
        """
        ledgers = [self._ledger(corpus) for corpus in self._rows]
        found = sum(ledger.rows_in for ledger in ledgers), sum(ledger.kept for ledger in ledgers)
        assert found == (read, held), (self.stage, found, read, held)
        return ledgers

    def _ledger(self, corpus: str) -> Ledger:
        rows, samples = self._rows[corpus], self._samples[corpus]
        return Ledger(
            stage=self.stage,
            corpus=corpus,
            rows_in=rows.total(),
            kept=rows[None],
            dropped={reason: count for reason, count in rows.items() if reason is not None},
            changed=dict(self._changed[corpus]),
            samples={reason: tuple(texts) for reason, texts in samples.items() if texts},
        )


def _grouped(corpora: Array, names: Array) -> Iterator[tuple[str, str | None, NDArray[np.int64]]]:
    """Each pair of corpus and name that occurs, with the places where it does."""
    first, second = corpora.dictionary_encode(), names.dictionary_encode()
    width = len(second.dictionary) + 1
    codes = np.asarray(second.indices.fill_null(width - 1)).astype(np.int64)
    codes += np.asarray(first.indices).astype(np.int64) * width
    for code in np.unique(codes):
        corpus, name = divmod(int(code), width)
        value = None if name == width - 1 else second.dictionary[name].as_py()
        yield first.dictionary[corpus].as_py(), value, np.flatnonzero(codes == code)


def _sample(rows: RecordBatch, place: int) -> str:
    texts = [rows[side][place].as_py()[:LONGEST_SAMPLE] for side in ("source", "target")]
    return "\t".join([rows["id"][place].as_py(), *texts])
