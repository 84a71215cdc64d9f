"""How many outputs depend on the batch, with and without `batch_invariant`, and what that costs.

    python benchmarks/batches.py --package artifacts/package --file test.de [--json FILE]

Each source is decoded alone and among 64. An output has changed when the best hypothesis has other
ids. Without a package a drawn model is searched, whose outputs are of no language. One thread;
seconds are those of the processor.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from tables import Row, add_json, print_row, write_rows

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.search import Search
from pipeline.decoding.worker import ready
from pipeline.models.seq2seq import Model, build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import read_model
from pipeline.pieces.pieces import Pieces
from pipeline.settings import parse

VOCABULARY = 512
LAYER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 64}
SEARCHES: dict[str, Search] = {"greedy": Greedy(), "beam 5": Beam(beam_size=5)}


def main() -> int:
    arguments = parse_arguments()
    ready("cpu")
    model, sources = read(arguments) if arguments.package else drawn(arguments.sentences)
    rows: list[Row] = []
    for name, search in SEARCHES.items():
        for invariant in (False, True):
            rows.append(measure(model, sources, name, search, invariant))
            print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--package", type=Path, help="a package; without, a drawn model")
    parser.add_argument("--file", type=Path, help="sources, a sentence a line")
    parser.add_argument("--sentences", type=int, default=1000, help="at most, from the beginning")
    add_json(parser)
    return parser.parse_args()


def read(arguments: argparse.Namespace) -> tuple[Model, list[list[int]]]:
    """A package's model in float32, and the sources as ids."""
    texts = arguments.file.read_text(encoding="utf-8").splitlines()[: arguments.sentences]
    pieces = Pieces.read(arguments.package / "model" / "pieces")
    return read_model(arguments.package / "model", precision="fp32"), pieces.encode_source(texts)


def drawn(count: int) -> tuple[Model, list[list[int]]]:
    """A small model that was never trained, and sources of 2 to 20 ids."""
    values = {
        "width": 64,
        "front": {"kind": "ids"},
        "encoder": LAYER,
        "decoder": LAYER,
        "generator": {"kind": "softmax"},
    }
    settings = parse(ModelSettings, values, "benchmark")
    model = build(settings, VOCABULARY, VOCABULARY, shared=True, precision="fp32", seed=1)
    random = np.random.default_rng(1)
    lengths = random.integers(1, 20, count)
    return model, [[*random.integers(4, VOCABULARY, length).tolist(), 3] for length in lengths]


def measure(
    model: Model, sources: list[list[int]], name: str, search: Search, invariant: bool
) -> Row:
    """Both batches, and what differs."""
    found, speeds = [], []
    for batch in (1, 64):
        start = time.process_time()
        found.append(
            decode(model, sources, search, batch_sentences=batch, batch_invariant=invariant)
        )
        speeds.append(round(len(sources) / (time.process_time() - start), 1))
    pairs = list(zip(*found, strict=True))
    changed = sum(one[0].ids != other[0].ids for one, other in pairs)
    return {
        "search": name,
        "batch_invariant": invariant,
        "sentences": len(sources),
        "outputs_changed": changed,
        "percent_changed": round(100 * changed / len(sources), 3),
        "scores_changed": sum(one[0].score != other[0].score for one, other in pairs),
        "sentences_per_second_alone": speeds[0],
        "sentences_per_second_among_64": speeds[1],
    }


if __name__ == "__main__":
    raise SystemExit(main())
