"""Train: shards become weights, on every core or GPU of the machine or cluster.

inputs/                              outputs/
├── shards/train/  shards/valid/ ─►  ├── model/
└── pieces/                          │   ├── model.json  weights.safetensors
${training.start}/  (or data/none)   │   └── run.json
                                     └── curves.csv
state/current.json names the run key; state/RUNKEY/ holds checkpoints, progress, and a finished run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

import pipeline.settings
from pipeline.batches.collate import open_examples
from pipeline.batches.slots import slot_cost
from pipeline.cluster import train_workers
from pipeline.display import showing
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.metric import measure
from pipeline.models.seq2seq import Model, ModelSettings, build
from pipeline.models.stored import write_model
from pipeline.pieces.pieces import Pieces
from pipeline.seats import Crew, Seat
from pipeline.training import finished, runkey
from pipeline.training.fit import Place, fit
from pipeline.training.lease import this_process
from pipeline.training.progress import FILE
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.training.validation import Validation
from pipeline.training.warmstart import take_start


class Settings(pipeline.settings.Settings):
    """What the stage reads of params.yaml."""

    model: ModelSettings
    training: Training


@dataclass(frozen=True, slots=True)
class Job:
    """What travels to the workers; paths are absolute."""

    settings: Settings
    machine: Machine
    inputs: Path
    start: Path
    folder: Path  # state/RUNKEY
    key: str
    owner: str


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Train, continue, or hand out what the run key's finished run left."""
    opened = {split: open_examples(inputs / "shards" / split) for split in ("train", "valid")}
    shards = {split: examples.shards.digest for split, examples in opened.items()}
    pieces = Pieces.read(inputs / "pieces").digest
    parts = runkey.key_parts(settings.model, settings.training, shards=shards, pieces=pieces)
    key, rooms = runkey.run_key(parts), runkey.rooms_digest()
    folder = machine.state.resolve() / key
    write_json(machine.state / "current.json", {"run_key": key, "folder": str(machine.state / key)})
    if finished.is_finished(folder):
        made_by = runkey.recorded_rooms(folder)
        print(f"run {key} is finished: its result is used")
        if made_by != rooms:
            print(f"  it was made by other code (digest {made_by[:16]}, now {rooms[:16]})")
    else:
        runkey.write_record(folder, parts, rooms)
        start = settings.training.start.resolve()
        _train(Job(settings, machine, inputs.resolve(), start, folder, key, this_process()))
    finished.hand_out(folder, outputs)


def _train(job: Job) -> None:
    machine, stop = job.machine, job.folder / "stop"
    stop.unlink(missing_ok=True)
    cuda = machine.device == "cuda" or (machine.device == "auto" and torch.cuda.is_available())
    most = torch.cuda.device_count() if cuda else machine.cores() // machine.threads_per_worker
    workers = max(1, most) if machine.workers == "auto" else machine.workers
    device, address = "cuda" if cuda else "cpu", machine.ray_address
    crew = Crew(workers, device, machine.threads_per_worker, machine.worker_restarts, address)
    print(f"run {job.key}: {workers} workers on {device}; stop and go on whenever you like")
    with showing(job.folder / FILE, job.settings.training.steps):
        train_workers(work, job, crew, folder=job.folder, stop=stop.touch)


def work(seat: Seat, job: Job) -> None:
    """What every worker does; the first keeps the result."""
    training, pieces = job.settings.training, Pieces.read(job.inputs / "pieces")
    team = Team(seat.rank, seat.workers, torch.device(seat.device))
    model = _first_model(job, pieces).to(team.device)
    valid, score = (
        open_examples(job.inputs / "shards" / "valid", verify=False),
        partial(_bleu, Bleu()),
    )
    validate = Validation(valid, team, job.machine.decode_batch, pieces.decode, score)
    cost = slot_cost(job.machine.slot_cost, team.device)
    seconds, stop = job.machine.checkpoint_seconds, (job.folder / "stop").exists
    place = Place(job.folder, job.owner, cost, seconds, stop)
    examples = open_examples(job.inputs / "shards" / "train", verify=False)
    outcome = fit(model, examples, training, place, validate=validate, team=team)
    if outcome.finished and team.rank == 0:
        finished.keep(job.folder, job.key, outcome, partial(write_model, model=model))


def _first_model(job: Job, pieces: Pieces) -> Model:
    model = build(
        job.settings.model,
        pieces.source_vocabulary,
        pieces.target_vocabulary,
        shared=pieces.shared,
        precision=job.settings.training.precision,
        seed=job.settings.training.seed,
    )
    take_start(model, job.start, pieces.digest)
    return model


def _bleu(metric: Bleu, hypotheses: Sequence[str], references: Sequence[str]) -> float:
    return measure(metric, "bleu", hypotheses, [[reference] for reference in references]).value
