"""Decoding speed of one thread: sentences and ids per second, by search, batch and precision.

    python benchmarks/decoding.py [--model gru] [--sentences 512] [--repeats 3] [--json FILE]

The model is drawn, not trained: 3+3 layers of width 256 (or one layer each way of GRU, 256 units)
over 8,000 pieces. Sources have the lengths of captions (5 to 40 ids, mean 15), and every hypothesis
is given its source's length as its limit, which a drawn model always reaches: so all searches write
texts of the same lengths, and sources leave the batch at different steps. Seconds are those of the
processor, so that what else runs on the machine matters little; the best of the repeats counts.
"""

import argparse
import time
from collections.abc import Sequence

import numpy as np
from tables import Row, add_json, print_row, write_rows

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.search import Search
from pipeline.decoding.worker import ready
from pipeline.models.seq2seq import Model, build
from pipeline.models.settings import ModelSettings
from pipeline.settings import parse

VOCABULARY = 8000
ADDITIVE = {"kind": "additive", "attention_units": 256}
GRU = {"kind": "gru", "layers": 1, "units": 256}
TRANSFORMER = {"kind": "transformer", "layers": 3, "heads": 4, "feedforward": 1024}
PARTS = {
    "transformer": (TRANSFORMER, TRANSFORMER),
    "gru": (GRU, {**GRU, "attention": ADDITIVE}),
}
LIMIT = {"max_length_ratio": 1.0, "max_length_extra": 0}
CASES: list[tuple[Search, int]] = [
    (Greedy(**LIMIT), 1),
    (Greedy(**LIMIT), 64),
    (Greedy(**LIMIT), 256),
    (Beam(beam_size=5, **LIMIT), 1),
    (Beam(beam_size=5, **LIMIT), 16),
    (Beam(beam_size=5, **LIMIT), 64),
    (Beam(beam_size=5, **LIMIT), 256),
    (Beam(beam_size=10, **LIMIT), 64),
]


def main() -> int:
    arguments = parse_arguments()
    ready("cpu")
    sources = draw_sources(arguments.sentences)
    rows: list[Row] = []
    for precision in ("fp32", "bf16"):
        model = draw_model(arguments.model, precision)
        for search, batch in CASES:
            rows.append(measure(model, precision, sources, search, batch, arguments.repeats))
            print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--model", choices=sorted(PARTS), default="transformer")
    add_json(parser)
    return parser.parse_args()


def draw_sources(count: int) -> list[list[int]]:
    """Ids with EOS; lengths as of captions, by a gamma distribution."""
    random = np.random.default_rng(1)
    lengths = np.clip(random.gamma(6.0, 2.5, count).astype(int), 4, 39)
    return [[*random.integers(4, VOCABULARY, length).tolist(), 3] for length in lengths]


def draw_model(kind: str, precision: str) -> Model:
    encoder, decoder = PARTS[kind]
    values = {
        "width": 256,
        "front": {"kind": "ids"},
        "encoder": encoder,
        "decoder": decoder,
        "generator": {"kind": "softmax"},
    }
    settings = parse(ModelSettings, values, "benchmark")
    return build(settings, VOCABULARY, VOCABULARY, shared=True, precision=precision, seed=1)


def measure(
    model: Model,
    precision: str,
    sources: Sequence[Sequence[int]],
    search: Search,
    batch: int,
    repeats: int,
) -> Row:
    """The best of several runs; one sentence at a time is measured on an eighth of the sources."""
    some = sources[:: 8 if batch == 1 else 1]
    seconds, ids = float("inf"), 0
    for _ in range(repeats):
        start = time.process_time()
        found = decode(model, some, search, batch_sentences=batch)
        seconds = min(seconds, time.process_time() - start)
        ids = sum(one[0].length for one in found)
    return {
        "search": "greedy" if search.most() == 1 else f"beam {search.most()}",
        "precision": precision,
        "batch": batch,
        "sentences_per_second": round(len(some) / seconds, 1),
        "ids_per_second": round(ids / seconds),
        "mean_ids": round(ids / len(some), 1),
    }


if __name__ == "__main__":
    raise SystemExit(main())
