"""Speed of the training step: target tokens per second of the engine's own step.

    python benchmarks/step.py [--models transformer gru] [--workers 2] [--steps 8] [--pairs 29000]
        [--tokens 4000] [--compile] [--json FILE]

Transformer: 3+3 layers of width 256, 4 heads, 1,024 inner channels; GRU: one layer each way and
two layers of 256 units. 8,000 joint pieces, groups of 4,000 target tokens, dropout 0.1, lengths as
of captions (about 16 source and 16 target ids). Everything that a step does counts: cutting,
collating, forward, backward, the sum over the workers, AdamW. Workers are processes of one pinned
thread. With --compile the regions of a step are compiled, before anything is measured.

The peak is that of large matrix products in the same precision, measured in the same processes;
MFU is the share of it that the products of real positions (counted, not estimated) reach. By the
processor's seconds the figures hardly depend on what else runs; by those of the clock they do.

The memory is the largest RssAnon of the first worker; what it keeps of the steps before shows after
some hundred of them (`--steps 200`).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from memory import Watch
from tables import add_json, write_rows

from pipeline.seats import Crew, Desk, Seat, environment, sit
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards

VOCABULARY, WIDTH = 8000, 256
TRANSFORMER = {"kind": "transformer", "layers": 3, "heads": 4, "feedforward": 1024, "dropout": 0.1}
ADDITIVE = {"kind": "additive", "attention_units": 256}
GRU = {"kind": "gru", "layers": 1, "units": 256, "dropout": 0.1}
MODELS = {
    "transformer": (TRANSFORMER, TRANSFORMER),
    "gru": (GRU, {**GRU, "layers": 2, "attention": ADDITIVE}),
}
PRECISIONS = ("fp32", "bf16")
WARM_UP = 2


def main() -> int:
    arguments = parse_arguments()
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw_examples(folder / "examples", arguments.pairs)
        for model in arguments.models:
            for precision in arguments.precisions:
                rows.append(measure(folder, model, precision, arguments))
                print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", choices=sorted(MODELS), default=sorted(MODELS))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=list(PRECISIONS))
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=4000, help="target tokens of a step")
    parser.add_argument("--pairs", type=int, default=29_000, help="to draw the groups from")
    parser.add_argument("--compile", action="store_true", help="with torch.compile")
    add_json(parser)
    return parser.parse_args()


def draw_examples(folder: Path, pairs: int) -> None:
    """Pairs whose lengths are distributed, and go together, as those of captions."""
    random = np.random.default_rng(1)
    common = random.gamma(9.0, 1.55, pairs)
    lengths = [
        np.clip(common + random.normal(0, 2.0, len(common)), 3, 60).astype(int) + extra
        for extra in (1, 0)
    ]
    columns = [
        [random.integers(4, VOCABULARY, length).tolist() for length in side] for side in lengths
    ]
    ids = [pa.array(column, pa.list_(pa.int32())) for column in columns]
    names = pa.array([f"drawn:{row}" for row in range(len(common))])
    batch = pa.RecordBatch.from_arrays([names, *ids], schema=EXAMPLES)
    write_shards(folder, [batch], shard_rows=65536, block_rows=1024, pieces_digest="drawn")


def measure(
    folder: Path, model: str, precision: str, arguments: argparse.Namespace
) -> dict[str, Any]:
    """Start the workers as training does, and read what the first one found."""
    workers, steps, tokens = arguments.workers, arguments.steps, arguments.tokens
    crew = Crew(workers, "cpu", 1, 0, "local")
    exchange = Path(tempfile.mkdtemp(dir=folder))
    started = [
        subprocess.Popen(
            [sys.executable, __file__, "--worker", json.dumps(
                [rank, workers, model, precision, steps, tokens, arguments.compile, str(folder),
                 str(exchange)]
            )],
            env={**os.environ, **environment(crew)},
        )
        for rank in range(workers)
    ]  # fmt: skip
    with Watch(started[0].pid, every=0.2) as watch:
        if any(process.wait() for process in started):
            raise SystemExit("a worker failed")
    row = json.loads((exchange / "row.json").read_text())
    return {**row, "peak_memory_mib": watch.peak // 2**20}


def worker(rank: int, workers: int, *rest: Any) -> None:
    """One worker, in its seat."""
    crew = Crew(workers, "cpu", 1, 0, "local")
    seat = Seat(rank, workers, "cpu", rank, workers)
    sit(seat, work=take_steps, argument=rest, crew=crew, desk=Desk())


def take_steps(seat: Seat, argument: tuple[Any, ...]) -> None:
    """Take steps of the engine; the first worker writes the row."""
    import torch
    import torch.distributed as dist

    from pipeline.batches.plan import Position
    from pipeline.models.seq2seq import COMPUTE
    from pipeline.training.compiler import compiled_steps
    from pipeline.training.gauge import matrix_rate
    from pipeline.training.loop import steps as walk
    from pipeline.training.operations import operations_of
    from pipeline.training.team import Team

    model, precision, steps, per_step, compiles, folder, exchange = argument
    torch.set_num_threads(1)
    if seat.workers > 1:
        meeting = f"file://{exchange}/meeting"
        dist.init_process_group(
            "gloo", init_method=meeting, rank=seat.rank, world_size=seat.workers
        )
    hands, course, training = prepared(
        model, precision, Path(folder), steps, per_step, Team(seat.rank, seat.workers)
    )
    begin = {"start": Position(), "done": 0, "rate_factor": 1.0}
    taken = walk(hands, course, training, **begin, stop=lambda: False)
    for _ in range(WARM_UP):
        next(taken)
    operations = operations_of(hands.holding.learner, hands.team.device)
    peak = partial(matrix_rate, COMPUTE[precision], hands.team.device, clock=time.process_time)
    next(taken)
    with compiled_steps(compiles, hands.holding.learner, course, hands.team.device, report=print):
        peaks = [peak()]
        clock, processor, tokens, needed = time.perf_counter(), time.process_time(), 0, 0
        for _ in range(steps):
            step = next(taken)[0]
            tokens, needed = tokens + step.tokens, needed + operations(step.supply.padding.needed)
        clock, processor = time.perf_counter() - clock, time.process_time() - processor
        peaks.append(peak())
    sums = torch.tensor([processor, sum(peaks) / 2], dtype=torch.float64)
    hands.team.sum_(sums)
    if seat.rank == 0:
        row = {
            "model": model,
            "precision": precision,
            "workers": seat.workers,
            "compiled": compiles,
            "tokens_per_second": round(tokens / clock),
            "tokens_per_processor_second": round(tokens / float(sums[0])),
            "mflop_per_token": round(needed / tokens / 1e6, 1),
            "peak_gflops_per_worker": round(float(sums[1]) / seat.workers / 1e9),
            "mfu": round(needed / float(sums[0]) / (float(sums[1]) / seat.workers), 3),
        }
        (Path(exchange) / "row.json").write_text(json.dumps(row))
    taken.close()
    if seat.workers > 1:
        dist.destroy_process_group()  # else its threads may outlive what they use


def prepared(
    model: str, precision: str, folder: Path, steps: int, per_step: int, team: Any
) -> tuple[Any, ...]:
    """The engine's hands and course for a drawn model."""
    from pipeline.batches.collate import open_examples
    from pipeline.batches.slots import CPU_SLOT_COST
    from pipeline.models.seq2seq import build
    from pipeline.models.settings import ModelSettings
    from pipeline.settings import parse
    from pipeline.training.loop import course_of
    from pipeline.training.settings import Training
    from pipeline.training.step import hands_of

    encoder, decoder = MODELS[model]
    values = {
        "width": WIDTH,
        "front": {"kind": "ids"},
        "encoder": encoder,
        "decoder": decoder,
        "generator": {"kind": "softmax"},
    }
    settings = parse(ModelSettings, values, "benchmark")
    built = build(settings, VOCABULARY, VOCABULARY, shared=True, precision=precision, seed=1)
    training = parse(
        Training,
        {
            "steps": steps + WARM_UP + 1,
            "tokens_per_step": per_step,
            "schedule": {"kind": "linear", "peak_rate": 1e-3, "warmup_steps": 1},
            "optimizer": {"kind": "adamw"},
            "validate_every_steps": 1000,
            "checkpoint_every_steps": 1000,
            "best_by": "loss",
            "precision": precision,
        },
        "benchmark",
    )
    optimizer = training.optimizer.build(dict(built.named_parameters()))
    hands = hands_of(built, optimizer, team, training.optimizer.clip_norm)
    examples = open_examples(folder / "examples")
    return hands, course_of(examples, training, CPU_SLOT_COST), training


def print_row(row: dict[str, Any], *, first: bool) -> None:
    if first:
        print(" ".join(f"{name:>15}" for name in HEADINGS))
    print(" ".join(f"{row[name]:>15}" for name in HEADINGS.values()), flush=True)


HEADINGS = {
    "model": "model",
    "precision": "precision",
    "workers": "workers",
    "compiled": "compiled",
    "tokens/s": "tokens_per_second",
    "tokens/cpu-s": "tokens_per_processor_second",
    "MFLOP/token": "mflop_per_token",
    "peak GFLOP/s": "peak_gflops_per_worker",
    "MFU": "mfu",
    "memory, MiB": "peak_memory_mib",
}

if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*json.loads(sys.argv[2]))
    else:
        raise SystemExit(main())
