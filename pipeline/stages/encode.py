"""Encode: rows as ids.

clean/train/                   ─┐
rows/{valid,test}/             ─┼─►  shards/{train,valid,test}/{00000.arrow, …, manifest.json}
pieces/                        ─┘    ledgers/encode.json
"""

from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import SerializeAsAny

from pipeline.arrow import RecordBatch
from pipeline.choose import chosen
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.records import SPLITS
from pipeline.rows import count_rows, read_rows
from pipeline.settings import Settings as Base
from pipeline.shards.encode import Encoder
from pipeline.shards.encoding import Encoding
from pipeline.shards.write import write_shards
from pipeline.spread import spread
from pipeline.tally import Tally
from pipeline.tasks import TASKS
from pipeline.tasks.task import COLUMNS, Task

COUNTED = ["id", "corpus", "source", "target"]


class Settings(Base):
    """Parameters of the stage."""

    encoding: Encoding
    """Bounds and sizes of the shards."""
    task: Annotated[SerializeAsAny[Task], chosen(TASKS)]
    """What a row becomes."""


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Encode the clean training rows, and every row of valid and test."""
    pieces = Pieces.read(inputs / "pieces")
    limits = settings.encoding
    encoder = Encoder(pieces, settings.task, limits.max_source_pieces, limits.max_target_pieces)
    tally = Tally("encode", samples_per_rule=5)
    read, held = 0, 0
    for split in SPLITS:
        rows = inputs / ("clean" if split == "train" else "rows") / split
        read += count_rows(rows)
        held += write_shards(
            outputs / "shards" / split,
            _encoded(encoder, rows, tally, machine),
            shard_rows=limits.shard_rows,
            block_rows=limits.block_rows,
            pieces_digest=pieces.digest,
        )
    ledgers = tally.ledgers(read=read, held=held)
    write_json(outputs / "ledgers" / "encode.json", {"ledgers": ledgers})


def _encoded(
    encoder: Encoder, folder: Path, tally: Tally, machine: Machine
) -> Iterator[RecordBatch]:
    kept = 0
    waiting: deque[RecordBatch] = deque()  # of rows whose ids are not back yet, what is counted

    def sent() -> Iterator[RecordBatch]:
        for rows in read_rows(folder, COLUMNS):
            waiting.append(rows.select(COUNTED))
            yield rows

    processes, address = machine.processes(), machine.ray_address
    for encoded in spread(encoder, sent(), processes=processes, address=address):
        rows = waiting.popleft()
        tally.add(rows, encoded["dropped"])
        tally.change(rows, encoded["changed"])
        whole = encoded.filter(encoded["dropped"].is_null())
        kept += whole.num_rows
        yield whole.select(["id", "source", "target"])
    if not kept:
        raise Problem(
            f"no row of {folder} is left",
            where="params.yaml, encoding",
            value=f"max_source_pieces {encoder.max_source_pieces}, "
            f"max_target_pieces {encoder.max_target_pieces}",
            remedy="raise the bounds: every row is longer",
        )
