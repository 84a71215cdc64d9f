"""Clean: training rows that are worth learning from.

rows/train/                   ─┐
rows/{valid,test}/            ─┴─►  clean/train/{00000.parquet, …, manifest.json}
  (what must not leak)              ledgers/clean.json
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

from pipeline.ahead import ahead
from pipeline.arrow import RecordBatch
from pipeline.cleaning.judge import COLUMNS
from pipeline.cleaning.sift import Cleaning, check, judge_of, kept, record
from pipeline.files import empty_folder, write_json
from pipeline.machine import Machine
from pipeline.normalise import Normaliser
from pipeline.rows import RowWriter, count_rows, read_rows
from pipeline.settings import Settings as Base
from pipeline.spread import spread
from pipeline.tally import Tally


class Settings(Base):
    """Parameters of the stage."""

    cleaning: Cleaning
    """The rules, and how much they may drop."""
    normaliser: Normaliser
    """Rules compare texts in this form; rows are never changed."""


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Judge every row of train, write those that stay, and what became of the others."""
    cleaning, rows = settings.cleaning, inputs / "rows"
    scratch = empty_folder(machine.folder / "scratch" / "clean")
    train = rows / "train"

    def held_out() -> Iterator[RecordBatch]:
        for split in ("valid", "test"):
            yield from read_rows(rows / split, COLUMNS)

    judge = judge_of(cleaning, settings.normaliser, held_out)
    judged = spread(
        judge,
        read_rows(train, COLUMNS),
        processes=machine.processes(),
        address=machine.ray_address,
    )
    verdicts = record(cleaning, judged, scratch, count_rows(train))
    tally = Tally("clean", cleaning.samples_per_rule)
    empty_folder(outputs / "clean")
    with RowWriter(outputs / "clean" / "train") as writer:
        for batch in kept(cleaning, ahead(read_rows(train)), verdicts, tally):
            writer.write(batch)
        ledgers = tally.ledgers(read=count_rows(train), held=writer.rows)
        check(cleaning, ledgers)
    shutil.rmtree(scratch)
    write_json(outputs / "ledgers" / "clean.json", {"ledgers": ledgers})
