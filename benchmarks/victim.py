"""The run that kill_anywhere.py kills: a small model, two workers, two planted faults.

    FOLDER/
    ├── examples/          shards of drawn pairs
    ├── state/             checkpoints, progress, lease: what training keeps
    ├── marks              what the first worker begins: a letter each, s a slot, v a validation
    └── result/            weights.safetensors, state.json: written when the run is finished

Transformer with dropout, tied tables and a moving average. The example of one group adds NaN to the
loss, so that its step is not taken; that of another so much that the run goes back.

As a script it is the driver of a team on Ray: `python benchmarks/victim.py FOLDER`.
"""

import os
import shutil
import signal
import sys
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
import torch.distributed as dist
from torch import Tensor
from torch.nn import Parameter

from pipeline.batches.batch import Batch
from pipeline.batches.collate import Examples, open_examples
from pipeline.batches.plan import Position
from pipeline.cluster import train_workers
from pipeline.files import write_json
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import Model, build
from pipeline.models.settings import ModelSettings
from pipeline.seats import Crew, Seat
from pipeline.settings import parse
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards
from pipeline.training.checkpoint import save_weights
from pipeline.training.fit import fit
from pipeline.training.lease import this_process
from pipeline.training.loop import course_of
from pipeline.training.run import Outcome, Place
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.training.weights import weights_of
from pipeline.workspace import die_with_parent

WORKERS, VOCABULARY, SLOT_COST = 2, 40, 120
BROKEN, FAR = 6, 14  # groups whose loss is not finite, and far too large
STEPS, UNDONE = 24, 4  # and how many groups the run goes back for
PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 32, "dropout": 0.2}
MODEL = {
    "width": 16,
    "front": {"kind": "ids"},
    "encoder": PART,
    "decoder": PART,
    "generator": {"kind": "softmax", "label_smoothing": 0.1},
    "embeddings": "tied",
}
TRAINING = {
    "steps": STEPS,
    "tokens_per_step": 80,
    "schedule": {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 5},
    "optimizer": {"kind": "adamw", "weight_decay": 0.01},
    "validate_every_steps": 6,
    "checkpoint_every_steps": 5,
    "best_by": "loss",
    "average_best": 2,
    "moving_average": 0.9,
    "recovery": {"spike_spread": 8.0, "spread_steps": 8},
}


@dataclass(frozen=True)
class Planted:
    """The model, some of whose sources are too much for it; it marks each slot that it begins."""

    model: Model
    losses_of: Mapping[tuple[int, ...], float]  # what a source adds
    marks: Path

    @property
    def weights(self) -> Mapping[str, float]:
        return self.model.weights

    def named_parameters(self) -> Iterable[tuple[str, Parameter]]:
        return self.model.named_parameters()

    def counts(self, batch: Batch) -> Mapping[str, int]:
        return self.model.counts(batch)

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Tensor]:
        mark(self.marks, "s")
        losses = dict(self.model.losses(batch, chance))
        sources = batch.source.values.split(list(batch.source.lengths))
        added = sum(self.losses_of.get(tuple(ids.tolist()), 0.0) for ids in sources)
        return {**losses, "cross_entropy": losses["cross_entropy"] + added}


def mark(path: Path, letter: str) -> None:
    """Append a letter: the file's length says how far the run has come."""
    with path.open("a") as file:
        file.write(letter)


def lay_out(folder: Path) -> None:
    """The examples of a run."""
    random = np.random.default_rng(7)
    bodies = [random.integers(4, VOCABULARY, n).tolist() for n in random.integers(3, 12, 600)]
    columns = [
        pa.array([f"drawn:{row}" for row in range(len(bodies))]),
        pa.array([[*body, 3] for body in bodies], pa.list_(pa.int32())),
        pa.array([body[::-1] for body in bodies], pa.list_(pa.int32())),
    ]
    batch = pa.RecordBatch.from_arrays(columns, schema=EXAMPLES)
    write_shards(folder / "examples", [batch], shard_rows=304, block_rows=8, pieces_digest="drawn")


def work(seat: Seat, argument: tuple[str, str]) -> None:
    """What every worker does: train, and keep the result."""
    torch.set_num_threads(1)
    folder, owner = Path(argument[0]), argument[1]
    examples, training = open_examples(folder / "examples"), parse(Training, TRAINING, "victim")
    sizes = (VOCABULARY, VOCABULARY)
    settings = parse(ModelSettings, MODEL, "victim")
    model = build(settings, *sizes, shared=True, precision="fp32", seed=training.seed)
    fit(
        model,
        examples,
        training,
        Place(folder / "state", owner, SLOT_COST, 0.2, bool),
        validate=partial(validated, examples.batch(*[np.arange(40)] * 2), marks_of(folder, seat)),
        lesson=Planted(model, planted(examples, training), marks_of(folder, seat)),
        keep=partial(keep, folder / "result", model),
        team=Team(seat.rank, seat.workers),
    )


def marks_of(folder: Path, seat: Seat) -> Path:
    return folder / "marks" if seat.rank == 0 else Path(os.devnull)


def planted(examples: Examples, training: Training) -> dict[tuple[int, ...], float]:
    """What the longest source of each of two groups adds to the loss."""
    walk = course_of(examples, training, SLOT_COST).plan.walk(Position())
    groups = [next(walk)[1] for _ in range(max(BROKEN, FAR))]
    found: dict[tuple[int, ...], float] = {}
    for number, loss in ((BROKEN, float("nan")), (FAR, 1e5)):
        rows = groups[number - 1]
        row = rows[[np.argmax(examples.source_lengths[rows])]]
        found[tuple(examples.ids(row)[0][0].tolist())] = loss
    return found


def validated(batch: Batch, marks: Path, model: Model) -> Mapping[str, float]:
    """The mean loss of some examples, again and again, so that a kill finds the time."""
    mark(marks, "v")
    for _ in range(4):
        loss = sum(float(one) for one in model.losses(batch, None).values())
    assert batch.target is not None
    return {"loss": loss / sum(batch.target.lengths)}


def keep(folder: Path, model: Model, outcome: Outcome) -> None:
    save_weights(folder, weights_of(model))
    write_json(folder.with_suffix(".json"), outcome.state.as_json())


def drive(folder: Path) -> None:
    """A team on Ray, to its end."""
    crew = Crew(WORKERS, "cpu", 1, restarts=3)
    argument = (str(folder.resolve()), this_process())
    train_workers(work, argument, crew)


def drive_plainly(folder: Path) -> None:
    """A team of forks of this process, to its end; where one is lost, all end."""
    shutil.rmtree(folder / "meeting", ignore_errors=True)
    (folder / "meeting").unlink(missing_ok=True)
    owner = this_process()
    team = {forked(partial(join, folder, owner, rank)) for rank in range(WORKERS)}
    while team:
        ended, status = os.wait()
        team.discard(ended)
        if status:
            for worker in team:
                os.kill(worker, signal.SIGKILL)
            os._exit(1)


def join(folder: Path, owner: str, rank: int) -> None:
    address = f"file://{folder.resolve()}/meeting"
    dist.init_process_group("gloo", init_method=address, rank=rank, world_size=WORKERS)
    work(Seat(rank, WORKERS, "cpu"), (str(folder), owner))
    dist.destroy_process_group()


def forked(call: Any) -> int:
    """Start a fork that dies with this process and does the call; its process id."""
    parent, process = os.getpid(), os.fork()
    if process:
        return process
    code = 1
    try:
        die_with_parent(parent)
        call()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


if __name__ == "__main__":
    drive(Path(sys.argv[1]))
