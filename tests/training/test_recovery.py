"""Recovery: steps that must not be taken, and going back to where the run was sound."""

import math

import numpy as np
import pytest
import torch

from pipeline.files import read_json
from pipeline.problems import Problem
from pipeline.training.checkpoint import Checkpoint, every, load, read_state, save
from pipeline.training.progress import read
from pipeline.training.recovery import Recovery, RunningSpread

SPIKES = {"spike_spread": 6.0, "spread_steps": 4}
FAR, NAN = 1e4, math.nan


@pytest.fixture(scope="module")
def examples(engine, tmp_path_factory):
    """An epoch of more than forty groups."""
    return engine.write_examples(tmp_path_factory.mktemp("examples"), rows=300)


def notes(folder):
    return [(r.step, r.note) for r in read(folder) if r.kind == "event"]


def poisoned(engine, examples, settings, losses):
    """A model for which the first examples of these groups (by number) add so much loss."""
    return engine.Poisoned(engine.tiny_model(), engine.poison_of(examples, settings, losses))


def test_the_spread_is_that_of_all_losses_until_it_looks_back_no_further():
    losses = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0]
    spread = RunningSpread()
    for number, loss in enumerate(losses[:5], 1):
        spread = spread.add(loss, 5)
        assert spread.mean == pytest.approx(np.mean(losses[:number]))
        assert spread.variance == pytest.approx(np.var(losses[:number]))
    mean, variance = spread.mean, spread.variance
    spread = spread.add(9.0, 5)  # a mixture of four parts of what was and one of the new
    assert spread.mean == pytest.approx(0.8 * mean + 0.2 * 9)
    assert spread.variance == pytest.approx(0.8 * variance + 0.2 * 0.8 * (9 - mean) ** 2)


def test_nothing_is_far_before_enough_steps_were_seen_or_where_it_is_switched_off():
    spread, judging = RunningSpread(), Recovery(spike_spread=2.0, spread_steps=3)
    for loss in (1.0, 3.0):
        spread = spread.add(loss, 3)
        assert spread.limit(judging) == math.inf
    spread = spread.add(2.0, 3)
    assert spread.limit(judging) == pytest.approx(2 + 2 * math.sqrt(2 / 3))
    assert spread.limit(Recovery(spread_steps=3)) == math.inf


def test_a_loss_that_is_not_finite_is_not_taken_though_its_gradient_is(engine, examples, tmp_path):
    settings = engine.training(steps=3, validate_every_steps=3)
    model = poisoned(engine, examples, settings, {2: math.inf})
    _, outcome = engine.run(tmp_path, examples, settings, model=model)
    assert (outcome.state.skipped, outcome.state.rollbacks) == (1, 0)
    assert (2, "step 2 not taken: its loss is not finite") in notes(tmp_path)
    broken = next(r for r in read(tmp_path) if r.kind == "train" and r.step == 2)
    assert "loss" not in broken.values
    assert math.isfinite(broken.values["gradient_norm"])


def test_a_loss_far_outside_takes_the_run_back_behind_the_groups_consumed(
    engine, examples, tmp_path
):
    """The same as stopping at the planned checkpoint, and going on at half the rate after the group
    of the fault."""
    settings = engine.training(steps=14, recovery=SPIKES)
    model = poisoned(engine, examples, settings, {8: FAR})
    _, outcome = engine.run(tmp_path / "fault", examples, settings, model=model)
    state = outcome.state
    assert (state.step, state.rollbacks, state.undone, state.rate_factor) == (14, 1, 3, 0.5)
    steps = [r.step for r in read(tmp_path / "fault") if r.kind == "train"]
    assert steps[steps.index(8) + 1 :][:3] == [6, 7, 8]  # none of what was undone stays the last
    told = [note for step, note in notes(tmp_path / "fault") if step == 8]
    assert len(told) == 1
    assert "far outside its running spread" in told[0]
    assert told[0].endswith("back to step 5, learning rates x 0.5")

    folder = tmp_path / "by hand"
    engine.run(folder, examples, settings, stop_at=5)
    checkpoint = load(folder / "checkpoints" / "00000005")
    _, after = engine.run(tmp_path / "further", examples, settings, stop_at=8)
    back = after.state.back_at(checkpoint.state, 0.5)
    save(folder / "checkpoints", Checkpoint(checkpoint.weights, checkpoint.optimizer, back, True))
    hand, by_hand = engine.run(folder, examples, settings, fresh=False)
    assert by_hand == outcome
    assert engine.largest_difference(engine.weights(hand), engine.weights(model)) == 0


def test_steps_not_taken_in_a_row_take_the_run_back_and_none_of_them_is_planned(
    engine, examples, tmp_path
):
    settings = engine.training(
        steps=14, checkpoint_every_steps=4, recovery={"max_skipped_steps": 3, "rate_factor": 0.25}
    )
    poison = dict.fromkeys((7, 8, 9), NAN)
    model = poisoned(engine, examples, settings, poison)
    _, outcome = engine.run(tmp_path, examples, settings, model=model)
    state = outcome.state
    assert (state.skipped, state.rollbacks, state.undone, state.rate_factor) == (3, 1, 5, 0.25)
    assert (state.skipped_in_a_row, state.step) == (0, 14)
    assert any(
        step == 9 and note.startswith("loss or gradient was not finite in 3 steps in a row")
        for step, note in notes(tmp_path)
    )


def test_the_first_weights_are_a_planned_checkpoint(engine, examples, tmp_path):
    settings = engine.training(steps=8, checkpoint_every_steps=100, recovery=SPIKES)
    model = poisoned(engine, examples, settings, {6: FAR})
    _, outcome = engine.run(tmp_path, examples, settings, model=model)
    assert (outcome.state.step, outcome.state.undone) == (8, 6)


def test_a_run_goes_back_so_often_and_then_names_the_examples(engine, examples, tmp_path):
    settings = engine.training(steps=14, recovery={**SPIKES, "max_rollbacks": 1})
    model = poisoned(engine, examples, settings, {8: FAR, 12: FAR})
    with pytest.raises(Problem, match="the run went back 1 times before") as caught:
        engine.run(tmp_path, examples, settings, model=model)
    plan = engine.course_of(examples, settings, 40).plan
    walk = plan.walk(engine.Position())
    rows = [next(walk)[1] for _ in range(12)][-1]
    told = read_json(tmp_path / "fault.json")
    assert told["examples"] == [f"r:{row}" for row in rows]
    assert f"examples r:{rows[0]}, r:{rows[1]}, " in caught.value.value
    assert f"({len(rows)} in all: {tmp_path / 'fault.json'})" in caught.value.value


def test_a_broken_planned_checkpoint_is_passed_over(engine, examples, tmp_path):
    """And where none is left, there is a Problem."""
    settings = engine.training(steps=12, checkpoint_every_steps=4, recovery=SPIKES)
    model = poisoned(engine, examples, settings, {10: FAR})
    checkpoints = tmp_path / "checkpoints"
    engine.run(tmp_path, examples, settings, model=model, stop_at=9)
    assert [path.name for path in every(checkpoints)] == ["00000009", "00000008", "00000004"]
    (checkpoints / "00000008/weights.safetensors").write_bytes(b"")
    engine.run(tmp_path, examples, settings, model=model, fresh=False, stop_at=1)
    assert (
        read_state(checkpoints / "00000010")[0].step,
        read_state(checkpoints / "00000010")[1],
    ) == (4, True)
    assert (checkpoints / "torn-00000008").exists()
    for planned in ("00000010", "00000004"):
        (checkpoints / planned / "weights.safetensors").write_bytes(b"")
    with pytest.raises(Problem, match="no planned checkpoint is left to go back to"):
        engine.run(tmp_path, examples, settings, model=model, fresh=False)


def test_all_workers_go_back_together(engine, examples, tmp_path):
    settings = engine.training(steps=12, recovery=SPIKES)
    poison = engine.poison_of(examples, settings, {8: FAR, 11: NAN})

    def work(folder, team=None, slot_cost=1000):
        model = engine.Poisoned(engine.tiny_model(), poison)
        return engine.run(
            tmp_path / folder, examples, settings, model=model, team=team, fresh=False,
            slot_cost=slot_cost,
        )  # fmt: skip

    alone, expected = work("alone")
    assert (expected.state.rollbacks, expected.state.skipped) == (1, 1)
    for model, outcome in engine.Threads(3).run(lambda team: work("team", team, slot_cost=25)):
        assert outcome.state.groups == expected.state.groups
        assert outcome.state.position == expected.state.position
        difference = engine.largest_difference(engine.weights(model), engine.weights(alone))
        assert difference < 1e-10


def test_a_checkpoint_after_going_back_is_newer_than_all_before(engine, examples, tmp_path):
    settings = engine.training(steps=14, recovery=SPIKES)
    model = poisoned(engine, examples, settings, {8: FAR})
    engine.run(tmp_path, examples, settings, model=model, stop_at=8)
    newest = every(tmp_path / "checkpoints")[0]
    state, planned = read_state(newest)
    assert (newest.name, state.step, state.undone, planned) == ("00000008", 5, 3, True)
    assert torch.equal(load(newest).optimizer["count"], torch.tensor([5]))
