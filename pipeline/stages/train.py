"""Train: shards become weights, on every core or GPU of the machine or cluster.

inputs/                              outputs/
├── shards/train/  shards/valid/ ─►  ├── model/
└── pieces/                          │   ├── model.json  weights.safetensors
${training.start}/  (or data/none)   │   └── run.json
                                     └── curves.csv
state/current.json names the run key; state/RUNKEY/ holds checkpoints, progress, and a finished run.
Where machine.yaml has the state on S3 they are kept there: hosts need no folder in common.
"""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

import pipeline.settings
from pipeline.batches.collate import Examples, open_examples
from pipeline.cache import Cache
from pipeline.cluster import train_workers
from pipeline.display import showing
from pipeline.files import write_json
from pipeline.job import SPLITS, Job, valid_score, work
from pipeline.machine import Machine
from pipeline.models.settings import ModelSettings
from pipeline.pieces.pieces import Pieces
from pipeline.seats import crew_of
from pipeline.store import Store, patiently
from pipeline.training import finished, runkey
from pipeline.training.claim import take_claim
from pipeline.training.fetched import RECORD, Progress, fetch_finished, fetch_record, followed
from pipeline.training.inputs import Here, put_inputs
from pipeline.training.lease import take_lease, this_process
from pipeline.training.loop import course_of
from pipeline.training.progress import FILE
from pipeline.training.settings import Training


class Settings(pipeline.settings.Settings):
    """What the stage reads of params.yaml."""

    model: ModelSettings
    training: Training


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Train, continue, or hand out what the run key's finished run left."""
    job, parts = job_of(settings, machine, inputs)
    current = {"run_key": job.key, "folder": str(machine.folder / job.key)}
    write_json(machine.folder / "current.json", current)
    if job.store is not None:
        job.store.check()  # now, not after the first steps
        fetch_record(job.store, job.folder)
    made_by, rooms = runkey.recorded_rooms(job.folder), runkey.rooms_digest()
    done = finished.is_finished(job.folder) or _fetched(job)
    if done:
        print(f"run {job.key} is finished: its result is used")
    if set(made_by) - {rooms} or (done and not made_by):
        former = " ".join(digest[:16] for digest in made_by) or "unknown"
        print(f"  other code worked on it: digest {former}, now {rooms[:16]}")
    if not done:
        take_lease(job.folder, job.owner, report=print)  # nobody else changes the folder from here
        runkey.write_record(job.folder, parts, rooms)
        if job.store is not None:
            take_claim(job.store, job.owner, report=print)
            job.store.upload(job.folder / RECORD, RECORD)
        _train(job)
        _fetched(job)
    finished.hand_out(job.folder, outputs)


def job_of(settings: Settings, machine: Machine, inputs: Path) -> tuple[Job, dict[str, Any]]:
    """The job of these settings, and what its key is a digest of."""
    pieces, start = Pieces.read(inputs / "pieces"), settings.training.start.resolve()
    settings.model.check_pieces(shared=pieces.shared)
    examples = {
        split: _checked(open_examples(inputs / "shards" / split), settings.model, pieces)
        for split in SPLITS
    }
    valid_score(examples["valid"], settings.training)  # a Problem now, not after the first steps
    shards = {split: each.digest for split, each in examples.items()}
    parts = runkey.key_parts(settings.model, settings.training, shards=shards, pieces=pieces.digest)
    key = runkey.run_key(parts)
    here = Here((inputs / "shards").resolve(), (inputs / "pieces").resolve(), start)
    store = Store(machine.address).below(key) if machine.address else None
    folder = machine.folder.resolve() / key
    job = Job(settings.model, settings.training, machine, here, folder, store, key, this_process())
    return job, parts


def _fetched(job: Job) -> bool:
    """Is the run finished in the store? Its result is here then."""
    if job.store is not None:
        patiently(partial(fetch_finished, job.store, job.folder))
    return finished.is_finished(job.folder)


def _checked(examples: Examples, model: ModelSettings, pieces: Pieces) -> Examples:
    """The examples, all of whose ids and lengths the model can take."""
    for shards in examples.folders:
        shards.check_pieces(pieces.digest)
        shards.check_ids(pieces.source_vocabulary, pieces.target_vocabulary)
        source, target = shards.longest
        model.check_lengths(source=source, target=target, told=f"{shards.folder} has")
    return examples


def _train(job: Job) -> None:
    crew = crew_of(job.machine, gpus=torch.cuda.device_count())
    print(f"run {job.key}: {crew.workers} workers on {crew.device}; stop and go on as you like")
    print(f"  {job.training.steps:,} steps see every example {_epochs(job):.1f} times")
    job, following = _in_store(job)
    with showing(job.folder / FILE, job.training.steps), following:
        train_workers(work, job, crew)


def _in_store(job: Job) -> tuple[Job, AbstractContextManager[None]]:
    """The job whose inputs are where its workers find them, and what brings its progress here."""
    machine = job.machine
    if job.store is None or machine.address is None:
        return job, nullcontext()
    assert isinstance(job.inputs, Here)
    print(f"  inputs and checkpoints: {machine.address}")
    cache = Cache(machine.cache, int(machine.cache_gib * 2**30))
    inputs = put_inputs(job.inputs, Store(machine.address), cache, SPLITS)
    progress = Progress(job.store, job.folder)
    progress.begin()
    return replace(job, inputs=inputs), followed(progress)


def _epochs(job: Job) -> float:
    """How often the run sees every example of train."""
    examples, training = job.inputs.examples("train"), job.training
    return course_of(examples, training, 0).plan.epochs(training.steps)
