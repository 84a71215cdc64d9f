"""Decode: what the model makes of every test row.

model/ pieces/ shards/test/ (cut sources) rows/test/ (texts, references byte for byte)  ─►
    hypotheses/TESTSET.jsonl, a line a row, in the rows' order
"""

from collections.abc import Iterator
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import torch

from pipeline.decoding.decode import Decoding, Ids
from pipeline.decoding.texts import hypotheses
from pipeline.decoding.worker import Worker, decode_spread
from pipeline.files import empty_folder
from pipeline.machine import Machine
from pipeline.outputs import Output, write_outputs
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.records import Hypothesis, Row
from pipeline.rows import read_rows, to_rows
from pipeline.seats import crew_of
from pipeline.settings import Settings as Base
from pipeline.shards.read import ids, open_shards
from pipeline.spread import spread


class Settings(Base):
    """Parameters of the stage."""

    decoding: Decoding


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Decode the test shards with every core (or the GPU) and write each test set's file."""
    device = crew_of(machine, gpus=torch.cuda.device_count()).device
    rows = [row for batch in read_rows(inputs / "rows" / "test") for row in to_rows(batch)]
    pieces = Pieces.read(inputs / "pieces")
    sources = _sources(inputs / "shards" / "test", pieces)
    if len(rows) != len(sources):
        raise Problem(
            f"{len(rows)} test rows have {len(sources)} encoded sources",
            where=str(inputs / "shards" / "test"),
            remedy="make them again: seqline run",
        )
    allowed = settings.decoding.automaton(pieces)
    worker = Worker((inputs / "model").resolve(), settings.decoding, device, allowed)
    processes = machine.processes() if device == "cpu" else 1
    work = partial(spread, worker, processes=processes)
    found = decode_spread(sources, work, machine.decode_batch, settings.decoding.batch_invariant)
    texts = hypotheses(pieces, found, str(settings.decoding.search.formula()))
    _write(outputs / "hypotheses", map(_output, rows, texts))


def _sources(folder: Path, pieces: Pieces) -> list[Ids]:
    shards = open_shards(folder)
    shards.check_pieces(pieces.digest)
    return [one for index in range(len(shards.blocks)) for one in _split(shards.block(index))]


def _split(block: object) -> Iterator[Ids]:
    values, offsets = ids(block, "source")
    for start, end in pairwise(offsets):
        yield values[start:end].tolist()


def _output(row: Row, found: tuple[Hypothesis, ...]) -> Output:
    return Output(
        id=row.id,
        corpus=row.corpus,
        group=row.group,
        source=row.source,
        references=row.references,
        source_language=row.source_language,
        target_language=row.target_language,
        hypotheses=found,
    )


def _write(folder: Path, outputs: Iterator[Output]) -> None:
    """Rows of one test set stand together, in the order of the corpora."""
    empty_folder(folder)
    for corpus, members in groupby(outputs, key=lambda output: output.corpus):
        write_outputs(folder / f"{corpus}.jsonl", members)
