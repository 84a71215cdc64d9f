"""Where the time of a training goes: a few steps of it, by one worker in a process of its own.

artifacts/shards/  artifacts/pieces/ ─► steps that nobody keeps ─► a table, and state/trace.json.gz
"""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import torch

from pipeline.batches.slots import slot_cost
from pipeline.job import Job, first_model
from pipeline.machine import Machine
from pipeline.models.lesson import Lesson
from pipeline.pieces.pieces import Pieces
from pipeline.seats import crew_of, environment
from pipeline.stages.train import Settings, job_of
from pipeline.training.compiler import compiled_steps
from pipeline.training.loop import course_of
from pipeline.training.profiler import Profile, profiled
from pipeline.training.team import Team

TRACE = "trace.json.gz"
QUIET = {"KINETO_LOG_LEVEL": "99"}  # of torch's profiler, which tells when it starts and stops


def profile(settings: Settings, machine: Machine, inputs: Path) -> Iterator[str]:
    """What the stage `train` would do now, as lines for a person."""
    job, _ = job_of(settings, machine, inputs)
    crew = replace(crew_of(machine, gpus=torch.cuda.device_count()), workers=1)
    machine.folder.mkdir(parents=True, exist_ok=True)
    os.environ.update(environment(crew) | QUIET)  # of a worker, which is started now
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        found = pool.submit(_work, job, crew.device, machine.folder / TRACE).result()
    yield f"one worker on {crew.device}, {settings.training.precision}"
    yield from found.lines()
    yield f"trace: {machine.folder / TRACE} (for chrome://tracing or Perfetto)"


def _work(job: Job, device: str, trace: Path) -> Profile:
    team, training = Team(device=torch.device(device)), job.training
    with job.inputs.folders() as (pieces, start):
        model = first_model(job, Pieces.read(pieces), start).to(team.device)
    lesson = Lesson(model, training.scheduled_sampling, training.r_drop)
    cost = slot_cost(job.machine.slot_cost, team.device)
    course = course_of(job.inputs.examples("train"), training, cost)
    with compiled_steps(job.machine.compile, lesson, course, team.device, report=print):
        return profiled(lesson, course, training, team, trace)
