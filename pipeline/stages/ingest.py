"""Ingest: whatever the corpora are, rows.

corpora.folder/…  ─┐
(sample: no files) ┴─►  rows/{train,valid,test}/{00000.parquet, …, manifest.json}
                        ledgers/ingest.json
"""

from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from pipeline.ahead import ahead
from pipeline.arrow import RecordBatch
from pipeline.arrow import compute as pc
from pipeline.corpora.corpus import Corpus
from pipeline.corpora.joined import Waiting
from pipeline.corpora.selection import Corpora
from pipeline.files import empty_folder, write_json
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.records import SPLITS, Ledger
from pipeline.rows import RowWriter
from pipeline.settings import Settings as Base


class Settings(Base):
    """Parameters of the stage."""

    corpora: Corpora


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Read every corpus into the rows of its splits. A Problem where one is empty."""
    settings.corpora.check_files()
    empty_folder(outputs / "rows")
    with ExitStack() as stack:
        writers = {s: stack.enter_context(RowWriter(outputs / "rows" / s)) for s in SPLITS}
        ledgers = [_read(source, settings.corpora, writers) for source in settings.corpora.sources]
        _check_splits(writers)
    write_json(outputs / "ledgers" / "ingest.json", {"ledgers": ledgers})


def _check_splits(writers: dict[str, RowWriter]) -> None:
    for split, writer in writers.items():
        if not writer.rows:
            raise Problem(
                f"no corpus has rows for '{split}'",
                where="params.yaml, corpora.sources",
                remedy=f"give a corpus role: {split}, or split: {{{split}: 0.01}} if it is large",
            )


def _read(source: Corpus, corpora: Corpora, writers: dict[str, RowWriter]) -> Ledger:
    rows, notes, before = 0, Counter[str](), _held(writers)
    waiting = Waiting() if source.join_references else None
    for batch in ahead(corpora.batches(source)):
        rows += batch.num_rows
        for side in ("source", "target"):
            ends = pc.sum(pc.ends_with(batch[side], "\r")).as_py()
            notes[f"{side}_ends_with_cr"] += ends or 0
        _write(waiting.hold(batch) if waiting else batch, writers)
    if not rows:
        files = ", ".join(path.as_posix() for path in source.files(corpora.folder))
        remedy = "fill it, or take it out of corpora.sources"
        raise Problem(f"corpus '{source.name}' is empty", where=files, remedy=remedy)
    found = waiting.joined() if waiting else None
    if found:
        _write(found.rows, writers)
    return Ledger(
        "ingest",
        source.name,
        rows,
        _held(writers) - before,
        dropped={"repeated_reference": found.repeated} if found and found.repeated else {},
        changed={note: count for note, count in notes.items() if count},
        joined=found.joined if found else 0,
    )


def _held(writers: dict[str, RowWriter]) -> int:
    return sum(writer.rows for writer in writers.values())


def _write(batch: RecordBatch, writers: dict[str, RowWriter]) -> None:
    """Each row to the writer of its split."""
    for split in SPLITS:
        part = batch.filter(pc.equal(batch["split"], split))
        if part.num_rows:
            writers[split].write(part)
