"""One process' share of a decoding: a batch of sources in, a batch of what was found out.

A source is a row `(row=7, source=[11, 12, 3])`. Each hypothesis of it is a row
`(row=7, ids=[21, 22], score=-0.3, log_probability=-0.9, length=3)`, best first.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import pyarrow as pa
import torch

from pipeline.arrow import RecordBatch
from pipeline.decoding.automata import Automaton
from pipeline.decoding.decode import Decoding, Ids, batches, decode
from pipeline.decoding.found import Found
from pipeline.models.seam import Searchable
from pipeline.models.stored import read_model

# Of glibc's malloc.h: M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_TOP_PAD; in bytes.
KEPT = {-3: 2**30, -1: 2**31 - 1, -2: 2**26}
SOURCES = pa.schema([("row", pa.int64()), ("source", pa.list_(pa.int64()))])
FOUND = pa.schema(
    [
        ("row", pa.int64()),
        ("ids", pa.list_(pa.int64())),
        ("score", pa.float64()),
        ("log_probability", pa.float64()),
        ("length", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Worker:
    """A function from sources to found that can be sent to any process that reaches `folder`.

    On a CPU a process computes with one thread: then results do not depend on how many processes
    there are, and one a core is the fastest.
    """

    folder: Path  # of the model, absolute
    decoding: Decoding
    device: str
    allowed: Automaton | None = None

    def __call__(self, batch: RecordBatch) -> RecordBatch:
        """Decode one batch, side by side."""
        ready(self.device)
        model = _model(self.folder, self.decoding.precision, self.device)
        found = decode(
            model,
            batch["source"].to_pylist(),
            self.decoding.search,
            n_best=self.decoding.n_best,
            batch_sentences=max(1, batch.num_rows),
            device=self.device,
            allowed=self.allowed,
            batch_invariant=self.decoding.batch_invariant,
        )
        return _table(batch["row"].to_pylist(), found)


@cache
def ready(device: str) -> None:
    """Make this process one that decodes: one thread, and freed memory is kept.

    glibc would give the large tensors of a step back and ask for them again in the next one, page
    by page, which takes a twentieth of the time.
    """
    if device != "cpu":
        return
    torch.set_num_threads(1)
    library = ctypes.CDLL(None)
    if sys.platform == "linux" and hasattr(library, "mallopt"):
        for option, value in KEPT.items():
            library.mallopt(option, value)


@cache
def _model(folder: Path, precision: Literal["fp32", "bf16"], device: str) -> Searchable:
    return read_model(folder, precision=precision).to(device)


def _table(rows: Sequence[int], found: Sequence[Sequence[Found]]) -> RecordBatch:
    flat = [(row, one) for row, n_best in zip(rows, found, strict=True) for one in n_best]
    columns = [
        [row for row, _ in flat],
        [one.ids for _, one in flat],
        [one.score for _, one in flat],
        [one.log_probability for _, one in flat],
        [one.length for _, one in flat],
    ]
    return pa.record_batch(columns, schema=FOUND)


def decode_spread(
    sources: Sequence[Ids],
    spread: Callable[[Iterator[RecordBatch]], Iterator[RecordBatch]],
    batch_sentences: int,
    batch_invariant: bool,
) -> list[list[Found]]:
    """Decode sources in batches that `spread` hands to workers; results in the order given."""
    found: list[list[Found]] = [[] for _ in sources]
    cut = batches(list(map(len, sources)), batch_sentences, batch_invariant)
    for batch in spread(_batches(sources, cut)):
        for one in batch.to_pylist():
            found[one.pop("row")].append(Found(tuple(one.pop("ids")), **one))
    return found


def _batches(sources: Sequence[Ids], cut: Iterator[list[int]]) -> Iterator[RecordBatch]:
    for rows in cut:
        yield pa.record_batch([rows, [sources[row] for row in rows]], schema=SOURCES)
