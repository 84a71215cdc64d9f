"""Law: stopped and continued, over at least two more steps, the ends of windows and epochs, and the
average of the best weights = undisturbed, to the bit."""

import shutil
from functools import cache
from itertools import pairwise

import pytest
import torch

import pipeline.batches.plan as plan
from pipeline.training.checkpoint import every, read_state
from pipeline.training.finished import curves


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    """Few enough for an epoch of six or seven groups."""
    return engine.write_examples(tmp_path_factory.mktemp("examples"), rows=60)


@pytest.fixture(scope="module", autouse=True)
def windows():
    """Three windows an epoch, of two or three groups each."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(plan, "BLOCKS_PER_WINDOW", 5)
        yield


@pytest.fixture(scope="module")
def settings(engine):
    return engine.training(steps=20, average_best=3, validate_every_steps=3)


@pytest.fixture(scope="module")
def undisturbed(engine, examples, settings, tmp_path_factory):
    """The undisturbed run of a combination of parts, made once."""

    @cache
    def run(name):
        folder = tmp_path_factory.mktemp("run") / "key"
        model = engine.tiny_model(name)
        return engine.run(folder, examples, settings, model=model, slot_cost=60)

    return run


def same(engine, ours, theirs):
    """Model and outcome, to the bit."""
    (model, outcome), (other, other_outcome) = ours, theirs
    assert engine.largest_difference(engine.weights(model), engine.weights(other)) == 0
    assert outcome == other_outcome
    assert curves(outcome.state) == curves(other_outcome.state)


@pytest.mark.trains
def test_the_undisturbed_run_passes_windows_and_epochs_and_averages(undisturbed, combination):
    _, outcome = undisturbed(combination)
    assert outcome.finished
    assert outcome.state.position.epoch >= 2
    assert outcome.state.position.window == 2
    assert len(outcome.state.best) == 3


STOPS = [1, 6, 7, 11, 19]  # in the middle of a window, at the end of an epoch, at ends of windows


@pytest.mark.parametrize("stop", STOPS)
def test_stopped_once_and_continued(engine, examples, settings, undisturbed, tmp_path, stop):
    def run(**how):
        return engine.run(tmp_path, examples, settings, slot_cost=60, **how)

    _, stopped = run(stop_at=stop)
    assert (stopped.finished, stopped.state.step) == (False, stop)
    same(engine, run(fresh=False), undisturbed("transformer"))


@pytest.mark.trains
def test_stopped_at_each_of_them_and_continued(
    engine, examples, settings, undisturbed, tmp_path, combination
):
    def run(**how):
        model = engine.tiny_model(combination)
        return engine.run(
            tmp_path, examples, settings, model=model, slot_cost=60, fresh=False, **how
        )

    for before, stop in pairwise([0, *STOPS]):
        _, stopped = run(stop_at=stop - before)
        assert (stopped.finished, stopped.state.step) == (False, stop)
    same(engine, run(), undisturbed(combination))


def test_stopped_at_every_second_step(engine, examples, settings, undisturbed, tmp_path):
    fresh = True
    while True:
        run = engine.run(tmp_path, examples, settings, slot_cost=60, stop_at=2, fresh=fresh)
        fresh = False
        if run[1].finished:
            break
    same(engine, run, undisturbed("transformer"))


def test_continued_from_an_older_checkpoint(engine, examples, settings, undisturbed, tmp_path):
    """As after a crash: what came after the checkpoint is done again."""
    engine.run(tmp_path, examples, settings, slot_cost=60, stop_at=14)
    newest, older, *_ = every(tmp_path / "checkpoints")
    assert (read_state(newest)[0].step, read_state(older)[0].step) == (14, 10)
    shutil.rmtree(newest)
    continued = engine.run(tmp_path, examples, settings, slot_cost=60, fresh=False)
    same(engine, continued, undisturbed("transformer"))


def test_stopped_early_stays_stopped(engine, examples, tmp_path):
    settings = engine.training(
        steps=40,
        patience=1,
        validate_every_steps=2,
        optimizer={"kind": "adamw", "clip_norm": None},
        schedule={"kind": "linear", "peak_rate": 2.0},
    )
    first = engine.run(tmp_path, examples, settings)
    assert first[1].state.stopped_early
    assert first[1].state.step < 40
    same(engine, engine.run(tmp_path, examples, settings, fresh=False), first)


@pytest.mark.parametrize("stop", [1, 7, 13])
def test_with_a_moving_average(engine, examples, tmp_path, stop):
    settings = engine.training(steps=14, moving_average=0.8, average_best=2, validate_every_steps=3)
    whole = engine.run(tmp_path / "whole", examples, settings, slot_cost=60)
    engine.run(tmp_path / "cut", examples, settings, slot_cost=60, stop_at=stop)
    cut = engine.run(tmp_path / "cut", examples, settings, slot_cost=60, fresh=False)
    assert whole[1].state.position.epoch >= 1
    same(engine, cut, whole)


def test_another_number_of_workers_keeps_the_order_of_the_data(engine, examples, tmp_path):
    """Pair by pair: in each step the same examples, each with the index that keys its masks."""
    settings = engine.training(steps=14, validate_every_steps=14)

    def seen(folder, workers, **how):
        models = [engine.Recorder(engine.tiny_model("gru")) for _ in range(workers)]
        how |= {"fresh": False, "slot_cost": 25}
        engine.Threads(workers).run(
            lambda team: engine.run(
                folder, examples, settings, model=models[team.rank], team=team, **how
            )
        )
        steps = {step for model in models for step in model.seen}
        return {
            step: sorted(pair for model in models for pair in model.seen.get(step, []))
            for step in steps
        }

    whole = seen(tmp_path / "whole", 1)
    for workers, stop_at, steps in (
        (2, 5, range(1, 6)),
        (1, 4, range(6, 10)),
        (3, None, range(10, 15)),
    ):
        part = seen(tmp_path / "cut", workers, stop_at=stop_at)
        assert part == {step: whole[step] for step in steps}


@pytest.mark.trains
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_in_productions_precisions_too(engine, examples, tmp_path, combination, precision):
    settings = engine.training(steps=8)

    def run(folder, **how):
        model = engine.tiny_model(combination, precision=precision)
        return engine.run(tmp_path / folder, examples, settings, model=model, **how)

    whole = run("whole")
    run("cut", stop_at=5)
    cut = run("cut", fresh=False)
    assert next(iter(engine.weights(cut[0]).values())).dtype == torch.float32
    same(engine, cut, whole)


@pytest.fixture(scope="module")
def many(engine, tmp_path_factory):
    """An epoch of more groups than the run with faults takes."""
    return engine.write_examples(tmp_path_factory.mktemp("many"), rows=300)


@pytest.fixture(scope="module")
def faulty(engine, many):
    """A run in whose fourth group a loss is not finite, and in whose ninth one is far too large."""
    settings = engine.training(
        steps=12,
        moving_average=0.8,
        average_best=2,
        recovery={"spike_spread": 6.0, "spread_steps": 4},
    )
    poison = engine.poison_of(many, settings, {4: float("nan"), 9: 1e4})

    def run(folder, **how):
        model = engine.Poisoned(engine.tiny_model(), poison)
        return engine.run(folder, many, settings, model=model, slot_cost=60, **how)

    return run


@pytest.fixture(scope="module")
def with_faults(faulty, tmp_path_factory):
    """That run, undisturbed."""
    return faulty(tmp_path_factory.mktemp("faulty") / "key")


def test_the_run_with_faults_skips_a_step_and_goes_back(with_faults):
    state = with_faults[1].state
    assert (state.step, state.skipped, state.rollbacks, state.undone) == (12, 1, 1, 4)


@pytest.mark.parametrize("stop", [4, 8, 9, 10, 14])
def test_stopped_around_faults_and_continued(engine, faulty, with_faults, tmp_path, stop):
    """Before, at, and after the step from which the run goes back."""
    _, stopped = faulty(tmp_path, stop_at=stop)
    assert (stopped.finished, stopped.state.groups) == (False, stop)
    same(engine, faulty(tmp_path, fresh=False), with_faults)


@pytest.mark.parametrize("left", [1, 2])
def test_going_back_that_was_lost_is_done_again(engine, faulty, with_faults, tmp_path, left):
    """As after a kill before the checkpoint that keeps it, or two."""
    faulty(tmp_path, stop_at=8)
    faulty(tmp_path, stop_at=1, fresh=False)
    newest = every(tmp_path / "checkpoints")[: 3 - left]
    assert read_state(newest[0])[0].rollbacks == 1
    for path in newest:
        shutil.rmtree(path)
    same(engine, faulty(tmp_path, fresh=False), with_faults)


def test_stopped_where_memory_is_short_and_continued(engine, examples, settings, tmp_path):
    """How a slot was cut is no state: each step begins with the cut of the settings."""

    def run(folder, **how):
        model = engine.Short(engine.tiny_model(), most=50)
        return engine.run(tmp_path / folder, examples, settings, model=model, **how)

    whole = run("whole", slot_cost=10**6)
    assert whole[0].refused > 20
    run("cut", slot_cost=10**6, stop_at=7)
    same(engine, run("cut", slot_cost=10**6, fresh=False), whole)
