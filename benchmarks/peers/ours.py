"""Ours: the model of a package, or the same search over its `forward` of whole prefixes.

    python -m peers.ours MODEL_FOLDER        (tasks: `turns.py`)

A task with `cache: false` is searched without a state that remembers.
"""

import sys
from pathlib import Path
from typing import Any

from peers.turns import Ids, serve
from peers.uncached import Uncached
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.search import Search
from pipeline.decoding.worker import ready
from pipeline.models.seq2seq import Model
from pipeline.models.stored import read_model


def main() -> None:
    folder = Path(sys.argv[1])
    ready("cpu")
    models: dict[str, Model] = {}

    def run(task: dict[str, Any]) -> list[Ids]:
        precision = task["precision"]
        if precision not in models:
            models[precision] = read_model(folder, precision=precision)
        model = models[precision]
        found = decode(
            model if task.get("cache", True) else Uncached(model),
            task["sources"],
            search(task["beam_size"], task["length"]),
            batch_sentences=task["batch"],
        )
        return [list(one[0].ids) for one in found]

    serve(run)


def search(beam_size: int, length: int | None) -> Search:
    """Beam search, greedy for a beam of one; all hypotheses have `length` ids where it is given."""
    limits = {}
    if length:
        limits = {"max_length_ratio": 0.0, "max_length_extra": length, "min_length_extra": length}
    return Greedy(**limits) if beam_size == 1 else Beam(beam_size=beam_size, **limits)


if __name__ == "__main__":
    main()
