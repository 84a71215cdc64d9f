"""Law: a group in one slot = in many; one worker = several; an empty share; accumulation: the same
step, dropout on, several losses with other counts."""

import shutil
import subprocess
import sys
import traceback
from functools import cache

import numpy as np
import pytest
import torch

import pipeline.training.gradient as gradients
import pipeline.training.step as step
from pipeline.batches.slots import deal
from pipeline.models.lesson import Lesson
from pipeline.models.rdrop import RDrop
from pipeline.models.scheduled_sampling import ScheduledSampling
from pipeline.models.seam import Chance
from pipeline.settings import parse
from pipeline.training.checkpoint import load_weights
from pipeline.training.gradient import Gradient
from pipeline.training.progress import read
from pipeline.training.team import Team

SAMPLED = {"decay": {"kind": "exponential", "k": 0.9}}  # in step 9: six ids of ten are predictions
KEY = Chance(5, 9)
CUTS = [(1, 60), (1, 1), (2, 60), (4, 20), (25, 10**6)]  # workers, cost of a slot


@pytest.fixture(autouse=True)
def several_buckets(monkeypatch):
    """Tiny models, too, begin to sum while their last slot is worked on."""
    monkeypatch.setattr(gradients, "BUCKET_BYTES", 1000)


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    return engine.write_examples(tmp_path_factory.mktemp("examples"))


def model_of(engine, combination, **changes):
    return engine.TwoTerms(engine.tiny_model(combination, **changes))


def gradient_of(model, examples, rows, *, workers, slot_cost, chance=KEY):
    """The group's gradient and its terms, from `workers` shares summed by hand."""
    sources, targets = examples.source_lengths[rows], examples.target_lengths[rows]
    shares = [
        [examples.batch(rows[places], places) for places in share]
        for share in deal(sources, targets, workers=workers, slot_cost=slot_cost)
    ]
    counts = step.group_counts(model, [batch for share in shares for batch in share], Team())
    total, sums = 0, {}
    for share in shares:
        gradient = Gradient([p for _, p in model.named_parameters()], extras=0)
        gradient.clear()
        for term, value in step.backward(model, share, counts, chance).items():
            sums[term] = sums.get(term, 0) + float(value)
        total = total + gradient.flat.clone()
    return total, sums, counts


def test_one_slot_gives_the_gradient_of_many(engine, examples, combination):
    model, rows = model_of(engine, combination), np.arange(3, 20)
    expected, sums, counts = gradient_of(model, examples, rows, workers=1, slot_cost=10**6)
    assert counts["long"] not in (0, len(rows))
    assert float(expected.abs().max()) > 1e-3
    for workers, slot_cost in CUTS:
        found, found_sums, _ = gradient_of(
            model, examples, rows, workers=workers, slot_cost=slot_cost
        )
        assert float((found - expected).abs().max()) < 1e-12
        assert found_sums == pytest.approx(sums, abs=1e-9)


@pytest.mark.trains
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_slots_change_no_more_than_rounding_does(engine, tiny, examples, combination, precision):
    """Rounding: what the precision does to the gradient of the same group in one slot."""
    rows = np.arange(3, 20)
    rough = model_of(engine, combination, precision=precision)
    models = rough, engine.TwoTerms(tiny.exact(rough.inner))
    one, true = (
        gradient_of(model, examples, rows, workers=1, slot_cost=10**6)[0] for model in models
    )
    noise = float((one - true).norm())
    assert noise > 0
    for workers, slot_cost in CUTS:
        found, _, _ = gradient_of(rough, examples, rows, workers=workers, slot_cost=slot_cost)
        assert float((found - one).norm()) <= 4 * noise


SEVERAL = ["gru, copying", "transformer, copying, ctc", "frames"]  # models of several terms


@pytest.mark.parametrize("name", SEVERAL)
def test_terms_of_the_models_own_add_up_however_a_group_is_cut(tiny, name):
    model = tiny.model_of(name)
    pairs = [*tiny.examples(6), ([4, 3], [5, 6, 7]), ([3], [4, 4])]
    expected, sums, counts = sums_of(tiny, model, pairs, [list(range(8))])
    assert len(counts) > 1
    assert counts["cross_entropy"] == sum(len(target) + 1 for _, target in pairs)
    assert 0 < counts.get("ctc", 1) < len(pairs)
    assert min(sums.values()) > 0
    for cuts in ([[0, 3, 6], [7, 1, 2], [5, 4]], [[5], [6, 7], [0, 1, 2, 3, 4]]):
        found, found_sums, found_counts = sums_of(tiny, model, pairs, cuts)
        assert found_counts == counts
        assert float((found - expected).abs().max()) < 1e-12
        assert found_sums == pytest.approx(sums, abs=1e-9)


def sums_of(tiny, model, pairs, cuts):
    """The group's gradient and its terms, from batches of these places of the group."""
    batches = [tiny.batch([pairs[place] for place in cut], cut) for cut in cuts]
    counts = step.group_counts(model, batches, Team())
    gradient = Gradient([p for _, p in model.named_parameters()], extras=0)
    gradient.clear()
    sums = step.backward(model, batches, counts, KEY)
    return gradient.flat.clone(), {term: float(one) for term, one in sums.items()}, counts


@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_one_slot_gives_the_gradient_of_many_in_a_lesson(engine, examples, kind):
    sampling = parse(ScheduledSampling, SAMPLED, "tests")
    model, rows = engine.tiny_model(kind), np.arange(3, 20)
    lesson = Lesson(model, sampling, RDrop())
    expected, sums, _ = gradient_of(lesson, examples, rows, workers=1, slot_cost=10**6)
    assert sums["r_drop"] > 0.1
    for workers, slot_cost in [(1, 60), (1, 1), (2, 60), (25, 10**6)]:
        found, found_sums, _ = gradient_of(
            lesson, examples, rows, workers=workers, slot_cost=slot_cost
        )
        assert float((found - expected).abs().max()) < 1e-12
        assert found_sums == pytest.approx(sums, abs=1e-9)
    forced, _, _ = gradient_of(model, examples, rows, workers=1, slot_cost=10**6)
    assert float((forced - expected).abs().max()) > 1e-3


def test_another_step_draws_other_masks(engine, examples):
    model, rows = model_of(engine, "transformer"), np.arange(3, 20)
    one, _, _ = gradient_of(model, examples, rows, workers=1, slot_cost=60)
    other, _, _ = gradient_of(model, examples, rows, workers=1, slot_cost=60, chance=Chance(5, 10))
    assert float((one - other).abs().max()) > 1e-3


def test_a_term_that_no_example_can_use_adds_nothing(engine, examples):
    model = model_of(engine, "transformer")
    rows = np.flatnonzero(examples.source_lengths < 4)[:6]
    gradient, sums, counts = gradient_of(model, examples, rows, workers=2, slot_cost=20)
    assert counts["long"] == 0
    assert sums["long"] == 0
    assert torch.isfinite(gradient).all()


@pytest.fixture(scope="module")
def alone(engine, examples, tmp_path_factory):
    """What one worker makes of a combination of parts in eight steps, made once."""

    @cache
    def run(name):
        folder, model = tmp_path_factory.mktemp("alone") / "1", model_of(engine, name)
        engine.run(folder, examples, engine.training(steps=8), model=model, slot_cost=10**6)
        return engine.weights(model)

    return run


@pytest.mark.trains
@pytest.mark.parametrize("workers", [2, 4])
def test_several_workers_take_the_steps_of_one(
    engine, examples, alone, tmp_path, combination, workers
):
    settings = engine.training(steps=8)
    results = engine.Threads(workers).run(
        lambda team: engine.run(
            tmp_path / "n",
            examples,
            settings,
            model=model_of(engine, combination),
            team=team,
            fresh=False,
            slot_cost=25,
        )
    )
    for model, outcome in results:
        assert outcome.state == results[0][1].state
        difference = engine.largest_difference(engine.weights(model), alone(combination))
        assert difference < 1e-10


@pytest.mark.trains
def test_slots_cut_where_memory_is_short_take_the_same_steps(
    engine, examples, alone, tmp_path, combination
):
    model = engine.Short(model_of(engine, combination), most=60)
    engine.run(tmp_path, examples, engine.training(steps=8), model=model, slot_cost=10**6)
    assert model.refused > 8
    difference = engine.largest_difference(engine.weights(model), alone(combination))
    assert difference < 1e-10


def test_only_the_worker_that_is_short_of_memory_cuts_its_slots(engine, examples, alone, tmp_path):
    refused = {}

    def work(team):
        most = 30 if team.rank == 1 else 10**6
        model = engine.Short(model_of(engine, "transformer"), most)
        engine.run(
            tmp_path, examples, engine.training(steps=8), model=model, team=team, fresh=False,
            slot_cost=10**6,
        )  # fmt: skip
        refused[team.rank] = model.refused
        return engine.weights(model)

    for found in engine.Threads(2).run(work):
        assert engine.largest_difference(found, alone("transformer")) < 1e-10
    assert refused[0] == 0 < refused[1]
    told = [r.values["cut_slots"] for r in read(tmp_path) if r.kind == "train"]
    assert told[-1] == refused[1]


def test_buckets_leave_while_the_last_slot_is_worked_on(engine, examples, tmp_path, monkeypatch):
    """And change no bit of what one sum after it gives."""
    found, sent = {}, []
    start_sum = engine.ThreadWorker.start_sum

    def seen(team, tensor):
        sent.append(any("backward" in frame.name for frame in traceback.extract_stack()))
        return start_sum(team, tensor)

    monkeypatch.setattr(engine.ThreadWorker, "start_sum", seen)
    for most in (1000, 10**9):
        monkeypatch.setattr(gradients, "BUCKET_BYTES", most)
        sent.clear()
        results = engine.Threads(2).run(
            lambda team: engine.run(
                tmp_path / "2",
                examples,
                engine.training(steps=3),
                team=team,
                fresh=False,
                slot_cost=25,
            )
        )
        shutil.rmtree(tmp_path / "2")
        found[most] = engine.weights(results[0][0])
        steps = 2 * 3
        assert len(sent) % steps == 0
        assert sent.count(False) == steps  # the last of each step
        assert (len(sent) > 3 * steps) == (most == 1000)
    assert engine.largest_difference(found[1000], found[10**9]) == 0


def test_more_workers_than_examples_leave_shares_empty(engine, tmp_path):
    few = engine.write_examples(tmp_path / "few", rows=3)
    settings = engine.training(steps=3, tokens_per_step=6)
    alone, _ = engine.run(tmp_path / "1", few, settings)
    results = engine.Threads(4).run(
        lambda team: engine.run(tmp_path / "4", few, settings, team=team, fresh=False)
    )
    for model, _ in results:
        difference = engine.largest_difference(engine.weights(model), engine.weights(alone))
        assert difference < 1e-10


@pytest.mark.system
def test_processes_take_the_steps_of_one_and_the_same_bits_again(engine, root, tmp_path):
    """Thirty steps over gloo, dropout on: 1 = 2 = 4 workers; 2 workers again: the same bits."""
    engine.write_examples(tmp_path / "examples")
    engine.write_examples(tmp_path / "again" / "examples")
    again = tmp_path / "again"
    teams = [1, tmp_path, 2, tmp_path, 2, again, 4, tmp_path]
    command = [sys.executable, root / "tests/engine.py", *map(str, teams)]
    subprocess.run(command, check=True, timeout=240)
    found = {count: load_weights(tmp_path / f"weights-{count}") for count in (1, 2, 4)}
    assert engine.largest_difference(found[1], found[2]) < 1e-10
    assert engine.largest_difference(found[1], found[4]) < 1e-10
    assert engine.largest_difference(found[2], load_weights(again / "weights-2")) == 0
