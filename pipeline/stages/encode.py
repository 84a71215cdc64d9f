"""Encode: rows as ids.

clean/train/*.parquet          ─┐
rows/{valid,test}/*.parquet    ─┼─►  shards/{train,valid,test}/{00000.arrow, …, manifest.json}
pieces/                        ─┘    ledgers/encode.json
"""

from collections.abc import Iterator
from itertools import tee
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SerializeAsAny, model_validator

from pipeline.arrow import RecordBatch
from pipeline.choose import chosen
from pipeline.cluster import spread
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.records import SPLITS
from pipeline.rows import read_rows
from pipeline.settings import Settings as Base
from pipeline.shards.encode import Encoder
from pipeline.shards.write import write_shards
from pipeline.tally import Tally
from pipeline.tasks import TASKS
from pipeline.tasks.task import Task


class Encoding(Base):
    """The section `encoding` of params.yaml."""

    max_source_pieces: int = Field(256, ge=2)
    """Longest source, EOS counted. Longer ones are dropped from train; elsewhere they are cut."""
    max_target_pieces: int = Field(256, ge=1)
    """Longest target, without BOS and EOS. Longer: as for sources; references stay whole."""
    shard_rows: int = Field(65_536, ge=1)
    """Examples in a shard; a multiple of block_rows."""
    block_rows: int = Field(1_024, ge=1)
    """Consecutive examples that are read at once; what training shuffles are blocks."""

    @model_validator(mode="after")
    def _whole_blocks(self) -> Self:
        if self.shard_rows % self.block_rows:
            raise ValueError(f"shard_rows must be a multiple of block_rows ({self.block_rows})")
        return self


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
    for split in SPLITS:
        rows = inputs / ("clean" if split == "train" else "rows") / split
        write_shards(
            outputs / "shards" / split,
            _encoded(encoder, rows, tally, machine),
            shard_rows=limits.shard_rows,
            block_rows=limits.block_rows,
            pieces_digest=pieces.digest,
        )
    write_json(outputs / "ledgers" / "encode.json", {"ledgers": tally.ledgers()})


def _encoded(
    encoder: Encoder, folder: Path, tally: Tally, machine: Machine
) -> Iterator[RecordBatch]:
    kept = 0
    batches, originals = tee(read_rows(folder))
    results = spread(encoder, batches, processes=machine.processes(), address=machine.ray_address)
    for rows, encoded in zip(originals, results, strict=True):
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
