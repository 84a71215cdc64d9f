"""A team over gloo whose workers hold parts of the weights: `python tests/sharded.py FOLDER TASK …`

makes the runs of the tasks one after the other. A task is JSON, the arguments of `sharded`. The
first worker keeps the weights of a run that is finished in `weights` of its folder.
"""

import json
import os
import sys
from pathlib import Path

import engine
import torch
import torch.distributed as dist

from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.training.checkpoint import save_weights
from pipeline.training.fit import fit
from pipeline.training.holding import held
from pipeline.training.team import Team

WORKERS = 2


def main(rank, folder, tasks):
    torch.set_num_threads(1)
    dist.init_process_group(
        "gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=WORKERS
    )
    for task in tasks:
        sharded(Team(rank, WORKERS), folder, **task)
    dist.destroy_process_group()


def sharded(team, folder, name, run, examples, settings, stop_at=None, r_drop=False, whole=False):
    """One run, which goes on from where it was stopped; `whole`: of the first worker alone."""
    if whole and team.rank != 0:
        return
    team = Team() if whole else team
    model, examples = engine.tiny_model(name), engine.open_examples(folder / examples)
    lesson = Lesson(model, None, RDrop() if r_drop else None)
    place = engine.place(folder / run, slot_cost=8, stop_at=stop_at)
    outcome = fit(
        model, examples, engine.training(**settings), place, validate=engine.Loss(examples),
        holding=held(model, lesson, team, shared=True), team=team,
    )  # fmt: skip
    if outcome.finished and team.rank == 0:
        save_weights(folder / run / "weights", engine.weights(model))


if __name__ == "__main__":
    parent, folder = os.getpid(), Path(sys.argv[1])
    tasks = [json.loads(task) for task in sys.argv[2:]]
    engine.together(WORKERS, lambda rank: main(rank, folder, tasks))
