"""Law: in an epoch every example occurs exactly once over all workers, slots and resumes; the order
differs between epochs and seeds."""

from itertools import islice

import numpy as np
import pytest

import pipeline.batches.plan as plans
import pipeline.batches.slots as slots
from pipeline.batches.plan import Plan, Position
from pipeline.training.loop import course_of


def plan(rows=500, *, block_rows=7, seed=1, tokens_per_step=60):
    tokens = np.random.default_rng(rows).integers(1, 20, rows)
    blocks = [min(block_rows, rows - start) for start in range(0, rows, block_rows)]
    return plan_of(tokens, blocks, seed=seed, tokens_per_step=tokens_per_step)


def plan_of(tokens, blocks, **how):
    """A plan over examples of so many tokens each, in blocks of so many."""
    parts = np.split(tokens, np.cumsum(blocks)[:-1])
    sums = np.array([part.sum() for part in parts])
    return Plan(
        np.array(blocks), sums, lambda some: np.concatenate([parts[b] for b in some]), **how
    )


def epoch(course, number):
    """Every group of an epoch."""
    return [group for window in range(course.windows) for group in course.groups(number, window)]


@pytest.fixture(params=[256, 10], ids=["one window", "seven windows"])
def windows(request, monkeypatch):
    monkeypatch.setattr(plans, "BLOCKS_PER_WINDOW", request.param)


@pytest.mark.parametrize("rows", [1, 2, 50, 500])
def test_an_epoch_holds_every_example_once(windows, rows):
    for number in range(2):
        found = np.concatenate(epoch(plan(rows), number))
        assert sorted(found) == list(range(rows))


def test_walking_from_any_position_gives_what_walking_from_the_start_gives(windows):
    course = plan()
    whole = list(islice(course.walk(Position()), 200))
    assert [p for p, _ in whole][-1].epoch >= 2
    for stop in (1, 7, len(epoch(course, 0)) - 1, len(epoch(course, 0)), 131):
        rest = islice(course.walk(whole[stop - 1][0]), 200 - stop)
        for (position, rows), (expected, expected_rows) in zip(rest, whole[stop:], strict=True):
            assert position == expected
            assert rows.tolist() == expected_rows.tolist()


def test_the_order_differs_between_epochs_and_seeds(windows):
    orders = [np.concatenate(epoch(plan(seed=seed), e)) for seed in (1, 2) for e in (0, 1)]
    for index, order in enumerate(orders):
        for other in orders[:index]:
            assert np.mean(order == other) < 0.05


def test_groups_hold_equal_tokens(windows):
    of_each = np.random.default_rng(500).integers(1, 20, 500)
    tokens = [int(of_each[rows].sum()) for rows in epoch(plan(), 0)]
    assert max(tokens) - min(tokens) <= 2 * 20, tokens
    assert abs(np.mean(tokens) - 60) < 5


def test_an_epoch_shows_every_example_once_in_one_of_its_variants(engine, tmp_path):
    examples = engine.write_examples(tmp_path / "train", rows=60, variants=3)
    seen = []
    for number in range(12):
        course = course_of(examples, engine.training(), 40)
        groups = epoch(course.plan, number)
        shown = np.concatenate([examples.shown(g, seed=1, epoch=number) for g in groups])
        assert sorted(shown % 60) == list(range(60))
        order = np.argsort(shown % 60)
        again = examples.shown(np.arange(60), seed=1, epoch=number)  # however groups are cut
        assert again.tolist() == shown[order].tolist()
        seen.append(again // 60)
    counts = np.bincount(np.concatenate(seen), minlength=4)
    assert counts.min() > 0.7 * counts.mean(), counts
    assert all(len(set(shown)) > 1 for shown in np.stack(seen).T)
    other = examples.shown(np.arange(60), seed=2, epoch=0) // 60
    assert 5 < np.sum(other == seen[0]) < 30


def test_a_run_with_variants_that_is_stopped_and_goes_on_sees_what_an_undisturbed_one_sees(
    engine, tmp_path
):
    examples = engine.write_examples(tmp_path / "train", rows=20, variants=2)
    settings = engine.training(steps=14)
    whole, outcome = engine.run(tmp_path / "whole", examples, settings)
    engine.run(tmp_path / "cut", examples, settings, stop_at=6)
    cut, _ = engine.run(tmp_path / "cut", examples, settings, fresh=False)
    assert outcome.state.position.epoch >= 2
    assert engine.largest_difference(engine.weights(whole), engine.weights(cut)) == 0
    plain = engine.write_examples(tmp_path / "plain", rows=20)
    other, _ = engine.run(tmp_path / "other", plain, settings)
    assert engine.largest_difference(engine.weights(whole), engine.weights(other)) > 1e-3


@pytest.mark.parametrize("workers", [1, 2, 3, 7])
@pytest.mark.parametrize("slot_cost", [1, 37, 200, 10_000])
def test_slots_hold_every_example_of_a_group_once(workers, slot_cost):
    random = np.random.default_rng(workers)
    sources, targets = random.integers(1, 30, (2, 41))
    shares = slots.deal(sources, targets, workers=workers, slot_cost=slot_cost)
    places = [place for share in shares for slot in share for place in slot]
    assert len(shares) == workers
    assert sorted(places) == list(range(41))


@pytest.mark.parametrize("workers", [1, 2, 4])
@pytest.mark.parametrize("slot_cost", [70, 200, 1000])
def test_slots_stay_below_their_cost_and_workers_get_even_shares(workers, slot_cost):
    random = np.random.default_rng(5)
    sources, targets = random.integers(1, 30, (2, 200))
    shares = slots.deal(sources, targets, workers=workers, slot_cost=slot_cost)
    costs = [[int((sources + targets)[slot].sum()) for slot in share] for share in shares]
    assert max(cost for share in costs for cost in share) <= slot_cost
    loads = [sum(share) for share in costs]
    assert max(loads) <= 1.05 * np.mean(loads)
    assert sum(len(share) for share in shares) <= 2 * sum(loads) / slot_cost + workers


def test_an_example_above_the_cost_is_a_slot_alone():
    sources, targets = np.array([3, 90, 4, 5]), np.array([3, 90, 4, 5])
    (share,) = slots.deal(sources, targets, workers=1, slot_cost=20)
    assert sorted(sorted(slot.tolist()) for slot in share) == [[0, 2], [1], [3]]


def test_fewer_examples_than_workers_leave_empty_shares():
    shares = slots.deal(np.array([2]), np.array([3]), workers=3, slot_cost=50)
    assert [len(share) for share in shares] == [1, 0, 0]
