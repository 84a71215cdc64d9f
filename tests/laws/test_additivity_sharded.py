"""Law: additivity, where each worker holds a part of the weights: the same step as one worker that
holds all, dropout on, with other numbers of slots and empty shares; and a run may go on the other
way."""

import json
import os
import subprocess
import sys

import pytest
import torch
from torch.nn import Parameter

from pipeline.batches.plan import Position
from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.training.checkpoint import load_weights
from pipeline.training.sharding import PartGradient

SETTINGS = {"steps": 8, "moving_average": 0.9}
FEW = {"steps": 3, "tokens_per_step": 2}  # of which one worker gets nothing
MODELS = ("transformer", "transformer, modern", "gru")


@pytest.fixture(scope="module")
def folder(engine, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sharded")
    engine.write_examples(folder / "examples")
    engine.write_examples(folder / "few", rows=3)
    return folder


def team(root, folder, *tasks):
    """Have a team of two make these runs, one after the other."""
    command = [sys.executable, root / "tests/sharded.py", folder, *map(json.dumps, tasks)]
    (folder / "meeting").unlink(missing_ok=True)
    subprocess.run(command, check=True, timeout=240, env={**os.environ, "OMP_NUM_THREADS": "1"})


def task(run, name="transformer", examples="examples", settings=SETTINGS, **more):
    return {"run": run, "name": name, "examples": examples, "settings": settings, **more}


def alone(engine, folder, run, **changes):
    """What one worker that holds all makes of it."""
    made = task(run, **changes)
    examples, model = (
        engine.open_examples(folder / made["examples"]),
        engine.tiny_model(made["name"]),
    )
    place = engine.place(folder / run, slot_cost=10**6)
    r_drop = RDrop() if made.get("r_drop") else None
    engine.fit(
        model, examples, engine.training(**made["settings"]), place,
        validate=engine.Loss(examples), lesson=Lesson(model, None, r_drop),
    )  # fmt: skip
    return engine.weights(model)


@pytest.mark.system
def test_parts_take_the_steps_of_the_whole(engine, root, folder):
    few = task("few-parts", examples="few", settings=FEW)
    stopped, resumed = task("stopped", stop_at=6), [task("resumed", stop_at=6), task("resumed")]
    joined = [task("joined", stop_at=6, whole=True), task("joined")]
    every = [task(name, name) for name in MODELS] + [task("twice", r_drop=True)]
    team(root, folder, *every, few, stopped, *resumed, *joined)
    for name in MODELS:
        found = load_weights(folder / name / "weights")
        expected = alone(engine, folder, f"{name}, whole", name=name)
        assert engine.largest_difference(found, expected) < 1e-10, name
    expected = alone(engine, folder, "twice, whole", r_drop=True)
    assert engine.largest_difference(load_weights(folder / "twice/weights"), expected) < 1e-10
    expected = alone(engine, folder, "few-whole", examples="few", settings=FEW)
    found = load_weights(folder / "few-parts/weights")
    assert engine.largest_difference(found, expected) < 1e-10
    whole = load_weights(folder / "transformer/weights")
    assert engine.largest_difference(load_weights(folder / "resumed/weights"), whole) == 0
    assert engine.largest_difference(load_weights(folder / "joined/weights"), whole) < 1e-10
    assert engine.largest_difference(alone(engine, folder, "stopped"), whole) < 1e-10


@pytest.mark.parametrize(("name", "settings"), [("examples", SETTINGS), ("few", FEW)])
def test_these_steps_have_other_numbers_of_slots_and_empty_shares(engine, folder, name, settings):
    settings = engine.training(**settings)
    course = engine.course_of(engine.open_examples(folder / name), settings, 8)
    walks = [course.shares(Position(), rank, 2) for rank in range(2)]
    slots = [tuple(len(next(walk).counts) for walk in walks) for _ in range(settings.steps)]
    assert any(one != other for one, other in slots)
    assert (0 in {one for both in slots for one in both}) == (name == "few")


def test_the_norm_is_that_of_all_parts(engine):
    """Two workers with parts of one gradient, of norm 13, and an extra each."""

    def work(team):
        parameters = {"a": Parameter(torch.zeros(1)), "b": Parameter(torch.zeros(1 - team.rank))}
        spread = {name: Held(one, 3.0 + 9 * team.rank) for name, one in parameters.items()}
        if team.rank == 0:
            spread["b"].grad.tensor.fill_(4.0)
        gradient = PartGradient(spread, parameters, extras=1)
        gradient.extras.fill_(1.0)
        told = gradient.reduce(team)
        gradient.clip(told[-1], 6.5)
        return told, [one.grad.tolist() for one in parameters.values()]

    first, second = engine.Threads(2).run(work)
    assert first == ([2.0, 13.0], [[1.5], [2.0]])
    assert second == ([2.0, 13.0], [[6.0], []])


class Held:
    """A tensor of the team, of whose gradient a worker has this part."""

    def __init__(self, like, value):
        self.grad = Local(torch.full_like(like, value).detach())


class Local:
    """A gradient of the team."""

    def __init__(self, tensor):
        self.tensor = tensor

    def to_local(self):
        return self.tensor
