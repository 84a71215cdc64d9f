"""The sum of gradients over workers: after the backward, or begun while the last slot is worked on.

    python benchmarks/reduction.py [--workers 2] [--rounds 8] [--precision bf16] [--pairs 29000]
        [--tokens 4000] [--json FILE]

The Transformer of `benchmarks/step.py`, workers of one pinned thread over gloo. Both ways take a
step in turn in the same processes, from the same first weights on, of the same groups; medians of
the rounds, by the clock and by the time of all processors.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from step import WARM_UP, draw_examples, prepared
from tables import add_json, write_rows

import pipeline.training.gradient as gradients
from pipeline.seats import Crew, Desk, Seat, environment, sit

WAYS = {"at the end": 2**40, "begun early": gradients.BUCKET_BYTES}  # bytes of a bucket


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="bf16")
    parser.add_argument("--pairs", type=int, default=29_000, help="to draw the groups from")
    parser.add_argument("--tokens", type=int, default=4000, help="target tokens of a step")
    add_json(parser)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        draw_examples(Path(folder) / "examples", arguments.pairs)
        own = arguments
        rest = [own.workers, own.rounds, own.precision, own.tokens, folder]
        started = [
            subprocess.Popen(
                [sys.executable, __file__, "--worker", json.dumps([rank, *rest])],
                env={**os.environ, **environment(Crew(arguments.workers, "cpu", 1, 0))},
            )
            for rank in range(arguments.workers)
        ]
        ended = [process.wait() for process in started]
        if any(ended):
            raise SystemExit("a worker failed")
        rows = json.loads((Path(folder) / "rows.json").read_text())
    print(" ".join(f"{name:>24}" for name in rows[0]))
    for row in rows:
        print(" ".join(f"{value:>24}" for value in row.values()))
    write_rows(arguments.json, rows)
    return 0


def take_steps(seat: Seat, argument: tuple[Any, ...]) -> None:
    import torch
    import torch.distributed as dist

    from pipeline.batches.plan import Position
    from pipeline.training.loop import steps as walk
    from pipeline.training.team import Team

    rounds, precision, tokens, folder = argument
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=seat.rank, world_size=seat.workers
    )
    team, taken = Team(seat.rank, seat.workers), {}
    for way, most in WAYS.items():
        gradients.BUCKET_BYTES = most
        hands, course, training = prepared(
            "transformer", precision, Path(folder), rounds, tokens, team
        )
        begin = {"start": Position(), "done": 0, "rate_factor": 1.0}
        taken[way] = walk(hands, course, training, **begin, stop=lambda: False)
    seconds: dict[str, list[torch.Tensor]] = {way: [] for way in WAYS}
    for number in range(WARM_UP + rounds):
        for way, steps in taken.items():
            dist.barrier()
            clock, processor = time.perf_counter(), time.process_time()
            next(steps)
            spent = torch.tensor([0.0, time.process_time() - processor])
            team.sum_(spent)
            spent[0] = time.perf_counter() - clock
            if number >= WARM_UP:
                seconds[way].append(spent)
    if seat.rank == 0:
        rows = [row_of(way, spent) for way, spent in seconds.items()]
        (Path(folder) / "rows.json").write_text(json.dumps(rows))
    for steps in taken.values():
        steps.close()
    dist.destroy_process_group()  # else its threads may outlive what they use


def row_of(way: str, spent: list[Any]) -> dict[str, Any]:
    names = ("seconds_a_step", "processor_seconds_a_step")
    medians = [statistics.median(float(one[place]) for one in spent) for place in (0, 1)]
    return {"sum": way, **{n: round(m, 4) for n, m in zip(names, medians, strict=True)}}


def worker(rank: int, workers: int, *rest: Any) -> None:
    """One worker, in its seat."""
    crew = Crew(workers, "cpu", 1, 0)
    seat = Seat(rank, workers, "cpu", rank, workers)
    sit(seat, work=take_steps, argument=rest, crew=crew, desk=Desk())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        worker(*json.loads(sys.argv[2]))
    else:
        raise SystemExit(main())
