"""Ours: the engine's own steps in a team of workers on Ray, one pinned thread each.

As the stage `train` starts them; what is left out is what happens between steps: validation and
checkpoints. How a group is cut is the engine's business, so the slots are looked at afterwards.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from peers.training.clock import Lengths, Task, read_task, write_answer
from pipeline.cluster import train_workers
from pipeline.seats import Crew, Seat


def main() -> None:
    task = read_task()
    crew = Crew(task["threads"], "cpu", 1, 0, "local")
    train_workers(work, task, crew)


def work(seat: Seat, task: Task) -> None:
    """Take the steps; the first worker answers for all."""
    import torch

    from pipeline.batches.plan import Position
    from pipeline.training.loop import steps
    from pipeline.training.team import Team

    team = Team(seat.rank, seat.workers)
    hands, course, training = prepared(task, team)
    begin = {"start": Position(), "done": 0, "rate_factor": 1.0}
    taken = steps(hands, course, training, **begin, stop=lambda: False)
    for _ in range(task["warm_up"]):
        next(taken)
    clock, processor = time.perf_counter(), time.process_time()
    for _ in range(task["steps"]):
        next(taken)
    clock = time.perf_counter() - clock
    spent = torch.tensor([time.process_time() - processor], dtype=torch.float64)
    team.sum_(spent)
    if seat.rank == 0:
        write_answer(task, clock, float(spent), list(slots(course, task, team.count)))


def prepared(task: Task, team: Any) -> tuple[Any, ...]:
    """The engine's hands and course."""
    from pipeline.batches.collate import open_examples
    from pipeline.batches.slots import slot_cost
    from pipeline.models.seq2seq import build
    from pipeline.models.settings import ModelSettings
    from pipeline.settings import parse
    from pipeline.training.loop import course_of
    from pipeline.training.settings import Training
    from pipeline.training.step import hands_of

    settings = parse(ModelSettings, model_values(task["shape"]), "benchmark")
    sizes, precision = (task["vocabulary"],) * 2, task["precision"]
    model = build(settings, *sizes, shared=True, precision=precision, seed=1)
    training = parse(Training, training_values(task), "benchmark")
    optimizer = training.optimizer.build(dict(model.named_parameters()))
    hands = hands_of(model, optimizer, team, training.optimizer.clip_norm)
    examples = open_examples(Path(task["shards"]), verify=False)
    return hands, course_of(examples, training, slot_cost("auto", team.device)), training


def model_values(shape: dict[str, Any]) -> dict[str, Any]:
    """The section `model` of params.yaml."""
    names = ("layers", "heads", "feedforward", "dropout")
    side = {"kind": "transformer", **{name: shape[name] for name in names}}
    return {
        "width": shape["width"],
        "front": {"kind": "ids"},
        "encoder": side,
        "decoder": side,
        "generator": {"kind": "softmax", "label_smoothing": shape["label_smoothing"]},
        "embeddings": "tied",
    }


def training_values(task: Task) -> dict[str, Any]:
    """The section `training` of params.yaml."""
    return {
        "steps": task["warm_up"] + task["steps"],
        "tokens_per_step": task["tokens"],
        "precision": task["precision"],
        "schedule": {"kind": "linear", "peak_rate": 1e-3, "warmup_steps": 1},
        "optimizer": {"kind": "adamw", "clip_norm": 1.0},
        "validate_every_steps": 1_000_000,
        "checkpoint_every_steps": 1_000_000,
        "best_by": "loss",
    }


def slots(course: Any, task: Task, workers: int) -> Iterator[tuple[Lengths, Lengths]]:
    """Lengths of every slot of the steps that counted, as all workers got them."""
    from pipeline.batches.plan import Position
    from pipeline.batches.slots import deal

    groups = course.plan.walk(Position())
    for number in range(task["warm_up"] + task["steps"]):
        _, rows = next(groups)
        if number < task["warm_up"]:
            continue
        pairs = course.examples.pairs(rows)
        sources, targets = pairs.source.lengths, pairs.target.lengths + 1
        shares = deal(sources, targets, workers=workers, slot_cost=course.slot_cost)
        for places in (slot for share in shares for slot in share):
            yield sources[places].tolist(), targets[places].tolist()


if __name__ == "__main__":
    main()
