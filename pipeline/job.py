"""A job of training: what travels to the workers, and what each of them does with it.

Job, inputs by path or digest ─► a seat's share of the steps ─► RUNKEY/ with weights and curves
"""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from pipeline.batches.batch import Batch
from pipeline.batches.collate import Examples
from pipeline.batches.slots import slot_cost
from pipeline.machine import Machine
from pipeline.metrics.validated import Score, score_of
from pipeline.models.gradient_norms import gradient_norms
from pipeline.models.lesson import Lesson
from pipeline.models.seq2seq import COMPUTE, Model, build
from pipeline.models.settings import ModelSettings
from pipeline.models.stored import write_model
from pipeline.pieces.pieces import Pieces
from pipeline.seats import Seat
from pipeline.store import Store
from pipeline.training import finished
from pipeline.training.compiler import compiled_steps
from pipeline.training.device import prepare
from pipeline.training.fit import fit
from pipeline.training.gauge import gauge_of
from pipeline.training.holding import held
from pipeline.training.inputs import Inputs
from pipeline.training.loop import course_of
from pipeline.training.mirror import mirrored
from pipeline.training.run import Outcome, Place
from pipeline.training.settings import Training
from pipeline.training.team import Team
from pipeline.training.validation import Validation, within
from pipeline.training.warmstart import take_start

SPLITS = ("train", "valid")
PROBE = 32  # examples whose gradients are watched
STEP_SECONDS = 10.0  # of the grace that follows the wish to stop, for a step to end by itself


@dataclass(frozen=True, slots=True)
class Job:
    """What travels to the workers; paths are absolute."""

    model: ModelSettings
    training: Training
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
    machine, training = job.machine, job.training
    team = Team(seat.rank, seat.workers, torch.device(seat.device))
    prepare(team.device, strict=job.model.repeats)
    with job.inputs.folders() as (pieces_folder, start):
        pieces = Pieces.read(pieces_folder)
        model = first_model(job, pieces, start).to(team.device)
    examples, valid = (job.inputs.examples(split) for split in SPLITS)
    search = within(model.settings.decoder.longest(), int(valid.source_lengths.max()))
    name, score = valid_score(valid, training)
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
        job.model,
        pieces.source_vocabulary,
        pieces.target_vocabulary,
        shared=pieces.shared,
        precision=job.training.precision,
        seed=job.training.seed,
    )
    take_start(model, start, pieces.digest)
    return model


def valid_score(valid: Examples, training: Training) -> tuple[str, Score]:
    """What validations are compared by, its name and function, for the languages of the valid rows.

    A Problem where nothing cuts their words.
    """
    languages = valid.shards.target_languages
    return score_of(training.best_by, training.bleu_tokenizer, languages)
