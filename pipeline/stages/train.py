"""Train: shards become weights, on every core or GPU of the machine or cluster.

inputs/                              outputs/
├── shards/train/  shards/valid/ ─►  ├── model/
└── pieces/                          │   ├── model.json  weights.safetensors
${training.start}/  (or data/none)   │   └── run.json
                                     └── curves.csv
state/current.json names the run key; state/RUNKEY/ holds checkpoints, progress, and a finished run.
"""

import secrets
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

import pipeline.settings
from pipeline.batches.batch import Batch
from pipeline.batches.collate import Examples, open_examples
from pipeline.batches.slots import slot_cost
from pipeline.cluster import train_workers
from pipeline.display import showing
from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.metrics import METRICS, as_metric
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.metric import Metric, common_language, measure
from pipeline.models.gradient_norms import gradient_norms
from pipeline.models.lesson import Lesson
from pipeline.models.seq2seq import COMPUTE, Model, build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import write_model
from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.seats import Seat, crew_of
from pipeline.training import finished, runkey
from pipeline.training.device import prepare
from pipeline.training.fit import fit
from pipeline.training.gauge import gauge_of
from pipeline.training.lease import take_lease, this_process
from pipeline.training.loop import course_of
from pipeline.training.progress import FILE
from pipeline.training.run import Place
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.training.validation import Validation, within
from pipeline.training.warmstart import take_start

DESK, STOP = "driver-", "stop"
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
    inputs: Path
    start: Path
    folder: Path  # state/RUNKEY
    desk: Path  # in it: what passes between this driver and its workers
    key: str
    owner: str


def run(settings: Settings, machine: Machine, inputs: Path, outputs: Path) -> None:
    """Train, continue, or hand out what the run key's finished run left."""
    job, parts = job_of(settings, machine, inputs)
    current = {"run_key": job.key, "folder": str(machine.state / job.key)}
    write_json(machine.state / "current.json", current)
    made_by, rooms = runkey.recorded_rooms(job.folder), runkey.rooms_digest()
    done = finished.is_finished(job.folder)
    if done:
        print(f"run {job.key} is finished: its result is used")
    if set(made_by) - {rooms} or (done and not made_by):
        former = " ".join(digest[:16] for digest in made_by) or "unknown"
        print(f"  other code worked on it: digest {former}, now {rooms[:16]}")
    if not done:
        take_lease(job.folder, job.owner, report=print)  # nobody else changes the folder from here
        runkey.write_record(job.folder, parts, rooms)
        _train(job)
    finished.hand_out(job.folder, outputs)


def job_of(settings: Settings, machine: Machine, inputs: Path) -> tuple[Job, dict[str, Any]]:
    """The job of these settings, and what its key is a digest of."""
    pieces, start = Pieces.read(inputs / "pieces"), settings.training.start.resolve()
    settings.model.check_pieces(shared=pieces.shared)
    examples = {
        split: _checked(open_examples(inputs / "shards" / split), settings.model, pieces)
        for split in ("train", "valid")
    }
    _score_of(examples["valid"], settings.training)  # a Problem now, not after the first steps
    shards = {split: each.digest for split, each in examples.items()}
    parts = runkey.key_parts(settings.model, settings.training, shards=shards, pieces=pieces.digest)
    key = runkey.run_key(parts)
    folder = machine.state.resolve() / key
    desk = folder / f"{DESK}{secrets.token_hex(4)}"
    owner = this_process()
    return Job(settings, machine, inputs.resolve(), start, folder, desk, key, owner), parts


def _checked(examples: Examples, model: ModelSettings, pieces: Pieces) -> Examples:
    """The examples, all of whose ids and lengths the model can take."""
    for shards in examples.folders:
        shards.check_pieces(pieces.digest)
        shards.check_ids(pieces.source_vocabulary, pieces.target_vocabulary)
        source, target = shards.longest
        model.check_lengths(source=source, target=target, told=f"{shards.folder} has")
    return examples


def _train(job: Job) -> None:
    for left in job.folder.glob(f"{DESK}*"):  # by a driver that was killed
        shutil.rmtree(left, ignore_errors=True)
    crew = crew_of(job.machine, gpus=torch.cuda.device_count())
    print(f"run {job.key}: {crew.workers} workers on {crew.device}; stop and go on as you like")
    print(f"  {job.settings.training.steps:,} steps see every example {_epochs(job):.1f} times")
    with showing(job.folder / FILE, job.settings.training.steps):
        train_workers(work, job, crew, folder=job.desk, stop=(job.desk / STOP).touch)


def _epochs(job: Job) -> float:
    """How often the run sees every example of train."""
    examples, training = train_examples(job), job.settings.training
    return course_of(examples, training, 0).plan.epochs(training.steps)


def train_examples(job: Job) -> Examples:
    """Those of train; their checksums were compared when the job was made."""
    return open_examples(job.inputs / "shards" / "train", verify=False)


def work(seat: Seat, job: Job) -> None:
    """What every worker does; the first keeps the result."""
    machine, pieces = job.machine, Pieces.read(job.inputs / "pieces")
    team = Team(seat.rank, seat.workers, torch.device(seat.device))
    prepare(team.device, strict=job.settings.model.repeats)
    model = first_model(job, pieces).to(team.device)
    valid = open_examples(job.inputs / "shards" / "valid", verify=False)
    search = within(model.settings.decoder.longest(), int(valid.source_lengths.max()))
    name, score = _score_of(valid, job.settings.training)
    sentences = machine.decode_batch
    cost, stop = slot_cost(machine.slot_cost, team.device), (job.desk / STOP).exists
    validate = Validation(valid, team, sentences, pieces.decode, score, name, search, stop)
    place = Place(
        job.folder,
        job.owner,
        cost,
        machine.checkpoint_seconds,
        stop,
        overdue=partial(_overdue, job.desk / STOP),
        slow_share=machine.slow_share,
        silence_seconds=machine.silence_seconds,
    )
    keep = partial(
        finished.keep, job.folder, job.key, write_model=partial(write_model, model=model)
    )
    training = job.settings.training
    lesson = Lesson(model, training.scheduled_sampling, training.r_drop)
    fit(
        model,
        train_examples(job),
        training,
        place,
        validate=validate,
        watch=partial(gradient_norms, batch=_probe(valid).to(team.device)),
        lesson=lesson,
        keep=keep,
        gauge=gauge_of(lesson, COMPUTE[training.precision], team),
        team=team,
    )


def _overdue(wish: Path) -> bool:
    """Has the wish to stop waited longer than a step should take?"""
    return wish.exists() and time.time() - wish.stat().st_mtime > STEP_SECONDS


def _probe(valid: Examples) -> Batch:
    """The examples whose gradients are watched."""
    rows = np.arange(min(PROBE, valid.count))
    return valid.batch(rows, rows)


def first_model(job: Job, pieces: Pieces) -> Model:
    """The model before its first step, on the CPU."""
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


def _score_of(
    valid: Examples, training: Training
) -> tuple[str, Callable[[Sequence[str], Sequence[str]], float]]:
    """What validations are compared by, or BLEU beside the loss, by name; words are cut as in the
    tests, and it is a Problem where they cannot be."""
    name = "bleu" if training.best_by == "loss" else training.best_by
    language = common_language(valid.shards.target_languages)
    metric: Metric = as_metric(METRICS[name]())
    if name == "bleu":
        metric = Bleu(tokenizer=training.bleu_tokenizer)
        _check_tokenizer(metric, language)

    def score(hypotheses: Sequence[str], references: Sequence[str]) -> float:
        return measure(metric, name, hypotheses, [[text] for text in references], language).value

    return name, score


def _check_tokenizer(bleu: Bleu, language: str) -> None:
    """Raise a Problem where what BLEU cuts the words of a language with is not installed."""
    try:
        bleu.statistics([""], [[""]], language)
    except Problem as problem:
        raise Problem(
            problem.what,
            where="params.yaml, training.bleu_tokenizer",
            value=language,
            remedy=f"pip install 'sacrebleu[{language}]', or training.bleu_tokenizer: char",
        ) from problem
