"""Encode: rows as ids.

clean/train/                   ─┐    shards/{train,valid,test}/{00000.arrow, …, manifest.json}
rows/{valid,test}/             ─┼─►  shards/train-variants/{1,2,…}/  where they are asked for
pieces/                        ─┘    ledgers/encode.json
"""

import shutil
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from pydantic import SerializeAsAny

from pipeline.arrow import RecordBatch
from pipeline.choose import chosen
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.pieces.pieces import Pieces
from pipeline.pieces.sampler import Draw, Sampler
from pipeline.problems import Problem
from pipeline.records import SPLITS
from pipeline.rows import count_rows, read_rows
from pipeline.settings import Settings as Base
from pipeline.shards.encode import Encoder
from pipeline.shards.encoding import Encoding
from pipeline.shards.schema import variants_of
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
    """Encode the clean training rows, and every row of valid and test; variants where asked for."""
    pieces = Pieces.read(inputs / "pieces")
    limits, shards = settings.encoding, outputs / "shards"
    encoder = Encoder(pieces, settings.task, limits.max_source_pieces, limits.max_target_pieces)
    draws = _draws(limits.subword_regularisation, pieces)
    tally = Tally("encode", samples_per_rule=5)
    read, held = 0, 0
    for split in SPLITS:
        rows = inputs / ("clean" if split == "train" else "rows") / split
        read += count_rows(rows)
        found = _encoded(encoder, rows, machine, tally)
        held += _write(shards / split, found, settings, pieces, rows)
    shutil.rmtree(variants_of(shards / "train"), ignore_errors=True)
    for draw in draws:
        rows = inputs / "clean" / "train"
        drawn = _encoded(replace(encoder, draw=draw), rows, machine)
        folder = variants_of(shards / "train") / str(draw.number)
        _write(folder, drawn, settings, pieces, rows)
    ledgers = tally.ledgers(read=read, held=held)
    write_json(outputs / "ledgers" / "encode.json", {"ledgers": ledgers})


def _draws(sampler: Sampler | None, pieces: Pieces) -> list[Draw]:
    """The variants of the training rows, found to fit the pieces."""
    if sampler is None:
        return []
    pieces.check_sampler(sampler)
    return [Draw(sampler, number) for number in range(1, sampler.variants + 1)]


def _write(
    folder: Path, examples: Iterator[RecordBatch], settings: Settings, pieces: Pieces, rows: Path
) -> int:
    return write_shards(
        folder,
        examples,
        shard_rows=settings.encoding.shard_rows,
        block_rows=settings.encoding.block_rows,
        pieces_digest=pieces.digest,
        target_languages=_target_languages(rows),
    )


def _target_languages(rows: Path) -> list[str]:
    """The languages of a folder's targets: validation cuts words by them, as evaluation does."""
    batches = read_rows(rows, ["target_language"])
    return sorted({name for one in batches for name in one["target_language"].unique().to_pylist()})


def _encoded(
    encoder: Encoder, folder: Path, machine: Machine, tally: Tally | None = None
) -> Iterator[RecordBatch]:
    """The examples of a folder's rows; `tally` hears of what is dropped and cut."""
    kept = 0
    waiting: deque[RecordBatch] = deque()  # of rows whose ids are not back yet, what is counted

    def sent() -> Iterator[RecordBatch]:
        for rows in read_rows(folder, COLUMNS):
            waiting.append(rows.select(COUNTED))
            yield rows

    processes, address = machine.processes(), machine.ray_address
    for encoded in spread(encoder, sent(), processes=processes, address=address):
        rows = waiting.popleft()
        if tally:
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
