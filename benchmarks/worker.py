"""The run of the current folder: trained, decoded and scored in this process (see runs.py).

One thread, without Ray. All seconds are those of the processor, so that they depend little on what
else the machine does. Those of training are of steps alone, without validations, as the run's
progress holds them: they survive interruptions. Those of decoding hold reading and writing, too.
"""

import argparse
import math
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.decoding.normalisation import Formula, Sum
from pipeline.decoding.scoring import score
from pipeline.files import read_json, write_json
from pipeline.job import work
from pipeline.machine import Machine, read_machine
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.evaluation import statistics
from pipeline.models.stored import read_model
from pipeline.outputs import read_outputs
from pipeline.seats import Seat
from pipeline.settings import load
from pipeline.shards.read import open_shards
from pipeline.stages import decode, train
from pipeline.training import finished, runkey
from pipeline.training.lease import take_lease
from pipeline.training.progress import read
from pipeline.workspace import die_with_parent, hold

PARAMS, ARTIFACTS, RESULT = Path("params.yaml"), Path("artifacts"), Path("result.json")
PARTS = 6  # of the test set, by length: for a plot

Result = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tested", action="store_true", help="decode the test set, too")
    tested = parser.parse_args().tested
    die_with_parent(os.getppid())
    machine = read_machine()
    with hold(machine.folder, "python benchmarks/worker.py"):
        result = trained(machine)
        write_json(RESULT, result | decoded(machine) if tested else result)
    return 0


def trained(machine: Machine) -> Result:
    """The stage `train` with one worker, which is this process."""
    job, parts = train.job_of(load(train.Settings, PARAMS), machine, ARTIFACTS)
    if not finished.is_finished(job.folder):
        take_lease(job.folder, job.owner, report=print)
        runkey.write_record(job.folder, parts, runkey.rooms_digest())
        work(Seat(0, 1, "cpu"), job)
    finished.hand_out(job.folder, ARTIFACTS)
    facts, speed = read_json(ARTIFACTS / "model" / "run.json"), tokens_per_second(job.folder)
    model = read_model(ARTIFACTS / "model")
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "target_tokens": facts["target_tokens"],
        "tokens_per_second": speed,
        "training_minutes": facts["target_tokens"] / speed / 60,
        "valid_loss": facts["valid"]["loss"],
        "valid_bleu": facts["valid"]["bleu"],
    }


def tokens_per_second(run: Path) -> float:
    """Target tokens for each second of the processor, of the steps that the progress tells of."""
    steps = {record.step: record.values for record in read(run) if record.kind == "train"}
    tokens, seconds = (
        sum(values[name] for values in steps.values()) for name in ("tokens", "processor_seconds")
    )
    return tokens / seconds


def decoded(machine: Machine) -> Result:
    """The stage `decode`, timed, and what its outputs are worth."""
    start = time.process_time()
    decode.run(load(decode.Settings, PARAMS), machine, ARTIFACTS, ARTIFACTS)
    seconds = time.process_time() - start
    (outputs,) = read_outputs(ARTIFACTS / "hypotheses").values()
    values = statistics(Bleu(), outputs).values
    words = np.array([len(output.source.split()) for output in outputs])
    order = np.argsort(words, kind="stable")  # the shortest source first
    parts = np.array_split(order, PARTS)
    return {
        "perplexity": perplexity(),
        "bleu": bleu(values, order),
        "bleu_longest_quarter": bleu(values, order[len(order) * 3 // 4 :]),
        "sentences_per_second": len(outputs) / seconds,
        "words_of_parts": [float(words[rows].mean()) for rows in parts],
        "bleu_of_parts": [bleu(values, rows) for rows in parts],
    }


def bleu(values: NDArray[np.float64], rows: Sequence[int] | NDArray[np.int64]) -> float:
    """Of some rows of a test set, from the statistics [rows, width] of all."""
    return Bleu().score(values[rows].sum(0))


def perplexity() -> float:
    """Of the test set's targets, for each piece, EOS included."""
    shards = open_shards(ARTIFACTS / "shards" / "test")
    rows = [row for block in range(len(shards.blocks)) for row in shards.block(block).to_pylist()]
    model = read_model(ARTIFACTS / "model", precision="fp32")
    sources, targets = ([row[side] for row in rows] for side in ("source", "target"))
    found = score(model, sources, targets, Formula(Sum()))
    pieces = sum(one.length for one in found)
    return math.exp(-sum(one.log_probability for one in found) / pieces)


if __name__ == "__main__":
    raise SystemExit(main())
