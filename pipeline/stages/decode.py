"""Decode: what the model makes of every test row.

model/ pieces/ shards/test/ (cut sources) rows/test/ (texts, references byte for byte)  ─►
    hypotheses/TESTSET.jsonl, a line a row, in the rows' order
    alignments/TESTSET.jsonl, a line each of the first ones
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby, pairwise
from pathlib import Path

import torch

from pipeline.alignments import DIGITS, Alignment, write_alignments
from pipeline.decoding.align import attention_of, spoken
from pipeline.decoding.decode import Decoding, Ids
from pipeline.decoding.found import Found
from pipeline.decoding.texts import hypotheses
from pipeline.decoding.worker import Worker, decode_spread
from pipeline.files import empty_folder
from pipeline.machine import Machine
from pipeline.models.stored import read_model
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
    aligned = list(_aligned(settings.decoding, inputs / "model", pieces, rows, sources, found))
    empty_folder(outputs / "alignments")
    for corpus in dict.fromkeys(row.corpus for row in rows):
        lines = [one for row, one in aligned if row.corpus == corpus]
        write_alignments(outputs / "alignments" / f"{corpus}.jsonl", lines)


def _aligned(
    decoding: Decoding,
    model: Path,
    pieces: Pieces,
    rows: Sequence[Row],
    sources: Sequence[Ids],
    found: Sequence[Sequence[Found]],
) -> Iterator[tuple[Row, Alignment]]:
    """The first rows of each test set, aligned: on one thread of a CPU, whoever decoded them."""
    if not decoding.alignments:
        return
    seen = Counter[str]()
    searched = read_model(model, precision=decoding.precision)
    if not searched.settings.decoder.attends:
        return
    torch.set_num_threads(1)
    for row, source, n_best in zip(rows, sources, found, strict=True):
        seen[row.corpus] += 1
        if seen[row.corpus] <= decoding.alignments:
            target = n_best[0].ids
            weights = attention_of(searched, source, target)
            assert weights is not None
            read, written = spoken(source, pieces.decode_source), spoken(target, pieces.decode)
            rounded = [tuple(round(weight, DIGITS) for weight in one) for one in weights.tolist()]
            yield row, Alignment(row.id, read, written, tuple(rounded))


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
