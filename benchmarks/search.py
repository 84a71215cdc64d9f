"""Speed of search beside `transformers` and CTranslate2: the same weights, sources and run.

    python benchmarks/search.py --packages PACKAGE … --file test.de [--json FILE]

Each case (beam, batch, length of the hypotheses) is decoded by one system after the other, and so
again and again: what else happens on the machine meets them all. `sentences_per_second` is the
median over the repeats; `times_ours`, the median of a round's speeds relative to ours in fp32 in
the same round; `equal_outputs`, the share of sentences with the same ids as ours in fp32. A system
has so many workers of one thread: processes that share the batches out, or CTranslate2's own
translators. Rows with `cache` false are the same search over `forward` of whole prefixes. A model
of which the peers have no like, or all with `--alone`, is measured by itself; without a package, a
small drawn one.

The peers are installed into an environment of their own, a folder that is named, and kept there.
"""

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from peers.environment import install
from peers.export import NoLikeError, export
from peers.system import PACKAGES, System, ours, peers
from peers.turns import Ids
from tables import Row, add_json, print_row, write_rows

from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import read_model, write_model
from pipeline.pieces.pieces import Pieces
from pipeline.settings import parse

DRAWN_VOCABULARY = 512
LAYER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 64}


@dataclass(frozen=True)
class Case:
    """What is decoded; `length`: ids of every hypothesis, EOS counted; None: the model ends."""

    beam_size: int
    batch: int
    length: int | None
    share: int = 1  # of how many sentences one is decoded
    uncached: bool = False  # is it ours with a cache and without, and nobody else's?


CASES = {
    "real": [
        Case(1, 1, None, share=32),
        Case(1, 64, None),
        Case(1, 256, None, share=2),
        Case(5, 1, None, share=32),
        Case(5, 16, None, share=8),
        Case(5, 64, None),
        Case(5, 256, None, share=2),
        Case(5, 64, None, share=4, uncached=True),
    ],
    "15": [Case(1, 64, 15, share=2), Case(5, 64, 15, share=2)],
    "100": [Case(1, 64, 100, share=8), Case(5, 64, 100, share=8)],
}


@dataclass(frozen=True)
class Entrant:
    """A system in one precision."""

    system: System
    precision: str
    cache: bool = True


def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as scratch:
        for model, sources in models(arguments, Path(scratch)):
            for row in measure_model(model, sources, arguments, Path(scratch)):
                rows.append(row)
                print_row(row, first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--packages", type=Path, nargs="*", help="folders of packages")
    parser.add_argument("--file", type=Path, help="sources, a sentence a line")
    parser.add_argument("--sentences", type=int, default=1000, help="at most, from the beginning")
    parser.add_argument("--lengths", nargs="*", choices=CASES, default=list(CASES))
    parser.add_argument("--beams", type=int, nargs="*", default=[1, 5])
    parser.add_argument("--batches", type=int, nargs="*", default=[1, 16, 64, 256])
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--alone", action="store_true", help="without the peers")
    scratch = Path(tempfile.gettempdir()) / "seqline-search-peers"
    parser.add_argument("--peers", type=Path, default=scratch, help="the peers' environment")
    add_json(parser)
    return parser.parse_args()


def models(arguments: argparse.Namespace, scratch: Path) -> Iterator[tuple[Path, list[Ids]]]:
    """Folders of models, and sources as ids with EOS."""
    if not arguments.packages:
        yield drawn(scratch / "drawn"), drawn_sources(arguments.sentences)
        return
    texts = arguments.file.read_text(encoding="utf-8").splitlines()[: arguments.sentences]
    for package in arguments.packages:
        yield package / "model", Pieces.read(package / "model" / "pieces").encode_source(texts)


def drawn(folder: Path) -> Path:
    """A small model that was never trained."""
    values = {
        "width": 64,
        "front": {"kind": "ids"},
        "encoder": LAYER,
        "decoder": LAYER,
        "generator": {"kind": "softmax"},
    }
    settings = parse(ModelSettings, values, "benchmark")
    size = DRAWN_VOCABULARY
    write_model(folder, build(settings, size, size, shared=True, precision="fp32", seed=1))
    return folder


def drawn_sources(count: int) -> list[Ids]:
    """2 to 20 ids."""
    random = np.random.default_rng(1)
    lengths = random.integers(1, 20, count)
    return [[*random.integers(4, DRAWN_VOCABULARY, length).tolist(), 3] for length in lengths]


def measure_model(
    folder: Path, sources: list[Ids], arguments: argparse.Namespace, scratch: Path
) -> Iterator[Row]:
    """All cases of one model."""
    model = read_model(folder, precision="fp32")
    kind = model.settings.model_dump()["decoder"]["kind"]
    with ExitStack() as stack:
        own = stack.enter_context(ours(folder, arguments.workers))
        entrants = [Entrant(own, "fp32"), Entrant(own, "bf16")]
        if not arguments.alone:
            try:
                export(model, scratch / kind)
            except NoLikeError as error:
                print(f"{kind}: {error}", file=sys.stderr)
            else:
                python = install(arguments.peers, PACKAGES)
                for system, precisions in peers(scratch / kind, python, arguments.workers):
                    stack.enter_context(system)
                    entrants += [Entrant(system, precision) for precision in precisions]
        for length in arguments.lengths:
            for case in CASES[length]:
                if case.beam_size not in arguments.beams or case.batch not in arguments.batches:
                    continue
                alone = [entrants[0], Entrant(own, "fp32", cache=False)]
                taking_part = alone if case.uncached else entrants
                some = sources[:: case.share]
                for row in measure(case, taking_part, some, arguments.repeats):
                    yield {"model": kind, **row}


def measure(case: Case, entrants: list[Entrant], sources: list[Ids], repeats: int) -> Iterator[Row]:
    """A row of each entrant, in the same rounds."""
    seconds: list[list[float]] = [[] for _ in entrants]
    found: list[list[Ids]] = [[] for _ in entrants]
    for entrant in entrants:  # loaded, and every kernel used once
        entrant.system.decode(task(case, entrant, sources[: 2 * case.batch]))
    for _ in range(repeats):
        for number, entrant in enumerate(entrants):
            spent, found[number] = entrant.system.decode(task(case, entrant, sources))
            seconds[number].append(spent)
    last = case.length and case.length - 1  # in the place of EOS the peers say something else
    for entrant, times, outputs in zip(entrants, seconds, found, strict=True):
        pairs = zip(outputs, found[0], strict=True)
        yield {
            "system": entrant.system.name,
            "precision": entrant.precision,
            "cache": entrant.cache,
            "beam_size": case.beam_size,
            "batch": case.batch,
            "length": case.length or "real",
            "sentences": len(sources),
            "sentences_per_second": round(len(sources) / statistics.median(times), 1),
            "times_ours": round(
                statistics.median(mine / own for own, mine in zip(times, seconds[0], strict=True)),
                2,
            ),
            "equal_outputs": round(
                sum(one[:last] == other[:last] for one, other in pairs) / len(sources), 4
            ),
        }


def task(case: Case, entrant: Entrant, sources: list[Ids]) -> dict[str, Any]:
    """See `peers/turns.py`."""
    return {
        "sources": sources,
        "precision": entrant.precision,
        "cache": entrant.cache,
        "beam_size": case.beam_size,
        "batch": case.batch,
        "length": case.length,
    }


if __name__ == "__main__":
    raise SystemExit(main())
