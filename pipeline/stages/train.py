"""Train: shards become weights, on every core or GPU of the machine or cluster.

inputs/                              outputs/
├── shards/train/  shards/valid/ ─►  ├── model/
└── pieces/                          │   ├── model.json  weights.safetensors
${training.start}/  (or data/none)   │   └── run.json
                                     └── curves.csv
state/current.json names the run key; state/RUNKEY/ holds checkpoints, progress, and a finished run.
Where machine.yaml has the state on S3 they are kept there: hosts need no folder in common.
"""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pipeline.settings
from pipeline.batches.batch import Batch
from pipeline.batches.collate import Examples, open_examples
from pipeline.batches.slots import slot_cost
from pipeline.cache import Cache
from pipeline.cluster import train_workers
from pipeline.display import showing
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.metrics.validated import Score, score_of
from pipeline.models.gradient_norms import gradient_norms
from pipeline.models.lesson import Lesson
from pipeline.models.seq2seq import COMPUTE, Model, build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import write_model
from pipeline.pieces.pieces import Pieces
from pipeline.seats import Seat, crew_of
from pipeline.store import Store, patiently
from pipeline.training import finished, runkey
from pipeline.training.claim import take_claim
from pipeline.training.compiler import compiled_steps
from pipeline.training.device import prepare
from pipeline.training.fetched import RECORD, Progress, fetch_finished, fetch_record, followed
from pipeline.training.fit import fit
from pipeline.training.gauge import gauge_of
from pipeline.training.holding import held
from pipeline.training.inputs import Here, Inputs, put_inputs
from pipeline.training.lease import take_lease, this_process
from pipeline.training.loop import course_of
from pipeline.training.mirror import mirrored
from pipeline.training.progress import FILE
from pipeline.training.run import Outcome, Place
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.training.validation import Validation, within
from pipeline.training.warmstart import take_start

SPLITS = ("train", "valid")
PROBE = 32  # examples whose gradients are watched
STEP_SECONDS = 10.0  # of the grace that follows the wish to stop, for a step to end by itself


class Settings(pipeline.settings.Settings):
    """What the stage reads of params.yaml."""

    model: ModelSettings
    training: Training


@dataclass(frozen=True, slots=True)
class Job:
    """What travels to the workers; paths are absolute."""

    settings: Settings
    machine: Machine
    inputs: Inputs
    folder: Path  # state/RUNKEY
    store: Store | None  # RUNKEY there, where the state is on S3
    key: str
    owner: str

    @property
    def work_folder(self) -> Path:
        """The run's folder where its first worker is."""
        cache = self.machine.cache.expanduser()
        return self.folder if self.store is None else cache / "runs" / self.key


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
    _score_of(examples["valid"], settings.training)  # a Problem now, not after the first steps
    shards = {split: each.digest for split, each in examples.items()}
    parts = runkey.key_parts(settings.model, settings.training, shards=shards, pieces=pieces.digest)
    key = runkey.run_key(parts)
    here = Here((inputs / "shards").resolve(), (inputs / "pieces").resolve(), start)
    store = Store(machine.address).below(key) if machine.address else None
    folder = machine.folder.resolve() / key
    return Job(settings, machine, here, folder, store, key, this_process()), parts


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
    print(f"  {job.settings.training.steps:,} steps see every example {_epochs(job):.1f} times")
    job, following = _in_store(job)
    with showing(job.folder / FILE, job.settings.training.steps), following:
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
    examples, training = job.inputs.examples("train"), job.settings.training
    return course_of(examples, training, 0).plan.epochs(training.steps)


def work(seat: Seat, job: Job) -> None:
    """What every worker does; the first keeps the result, and the store up to date."""
    folder = job.work_folder
    if job.store is None or seat.rank > 0:
        _trained(seat, job, folder, seat.stop)
        return
    with mirrored(folder, job.store, job.owner) as mirror:
        outcome = _trained(seat, job, folder, lambda: mirror.stop() or seat.stop())
        mirror.end(finished=outcome.finished)
    if outcome.finished:
        shutil.rmtree(folder, ignore_errors=True)


def _trained(seat: Seat, job: Job, folder: Path, stop: Callable[[], bool]) -> Outcome:
    """Train in `folder`, to the end or to the wish to stop."""
    machine, training = job.machine, job.settings.training
    team = Team(seat.rank, seat.workers, torch.device(seat.device))
    prepare(team.device, strict=job.settings.model.repeats)
    with job.inputs.folders() as (pieces_folder, start):
        pieces = Pieces.read(pieces_folder)
        model = first_model(job, pieces, start).to(team.device)
    examples, valid = (job.inputs.examples(split) for split in SPLITS)
    search = within(model.settings.decoder.longest(), int(valid.source_lengths.max()))
    name, score = _score_of(valid, training)
    sentences = machine.decode_batch
    cost = slot_cost(machine.slot_cost, team.device)
    place = Place(
        folder,
        job.owner,
        cost,
        machine.checkpoint_seconds,
        stop,
        overdue=lambda: seat.waited() > STEP_SECONDS,
        slow_share=machine.slow_share,
        silence_seconds=machine.silence_seconds,
    )
    lesson = Lesson(model, training.scheduled_sampling, training.r_drop)
    gauge = gauge_of(lesson, COMPUTE[training.precision], team)
    course = course_of(examples, training, cost)
    with compiled_steps(machine.compiles, lesson, course, team.device, report=print):
        return fit(
            model,
            examples,
            training,
            place,
            validate=Validation(valid, team, sentences, pieces.decode, score, name, search, stop),
            watch=partial(gradient_norms, batch=_probe(valid).to(team.device)),
            lesson=lesson,
            keep=partial(
                finished.keep, folder, job.key, write_model=partial(write_model, model=model)
            ),
            gauge=gauge,
            holding=held(model, lesson, team, shared=machine.shard_model),
            team=team,
        )


def _probe(valid: Examples) -> Batch:
    """The examples whose gradients are watched."""
    rows = np.arange(min(PROBE, valid.count))
    return valid.batch(rows, rows)


def first_model(job: Job, pieces: Pieces, start: Path) -> Model:
    """The model before its first step, on the CPU."""
    model = build(
        job.settings.model,
        pieces.source_vocabulary,
        pieces.target_vocabulary,
        shared=pieces.shared,
        precision=job.settings.training.precision,
        seed=job.settings.training.seed,
    )
    take_start(model, start, pieces.digest)
    return model


def _score_of(valid: Examples, training: Training) -> tuple[str, Score]:
    """By the target languages of the valid rows."""
    languages = valid.shards.target_languages
    return score_of(training.best_by, training.bleu_tokenizer, languages)
