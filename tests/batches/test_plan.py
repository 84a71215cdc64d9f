"""The plan against its definition in plain Python, and what it reads."""

from itertools import islice

import numpy as np
import pytest

import pipeline.batches.plan as plans
from pipeline.batches.plan import Plan, Position

LENGTHS = np.random.default_rng(3).integers(1, 20, 500)
BLOCKS = [7] * 71 + [3]
FIRSTS = [7 * block for block in range(72)]


@pytest.fixture(autouse=True, params=[256, 10], ids=["one window", "seven windows"])
def windows(request, monkeypatch):
    monkeypatch.setattr(plans, "BLOCKS_PER_WINDOW", request.param)
    return max(1, 72 // request.param)


def plan(read=None, *, tokens_per_step=60):
    def lengths(blocks):
        if read is not None:
            read.append(sorted(blocks.tolist()))
        return np.concatenate([part(block) for block in blocks])

    sums = np.array([part(block).sum() for block in range(72)])
    return Plan(np.array(BLOCKS), sums, lengths, seed=5, tokens_per_step=tokens_per_step)


def part(block):
    return LENGTHS[FIRSTS[block] :][: BLOCKS[block]]


def random(*key):
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([5, *key])))


def groups_by_definition(epoch, window, windows):
    """Blocks are permuted and spread over windows, a window is shuffled, and cut where the middle
    of an example is past an equal share of its tokens."""
    blocks = np.array_split(random(epoch, 0).permutation(72), windows)[window]
    rows = [FIRSTS[block] + row for block in blocks for row in range(BLOCKS[block])]
    rows = random(epoch, 1 + window).permutation(np.array(rows)).tolist()
    total = sum(int(LENGTHS[row]) for row in rows)
    count = max(1, min(len(rows), round(total / 60)))
    groups, done = [[] for _ in range(count)], 0
    for row in rows:
        middle = done + int(LENGTHS[row]) / 2
        cuts_before = [number for number in range(1, count) if middle >= number * (total / count)]
        groups[len(cuts_before)].append(row)
        done += int(LENGTHS[row])
    return groups


def test_groups_are_those_of_the_definition(windows):
    for epoch in (0, 3):
        for window in range(windows):
            found = [group.tolist() for group in plan().groups(epoch, window)]
            assert found == groups_by_definition(epoch, window, windows)


def test_a_position_is_found_without_making_a_group():
    read = []
    course = plan(read)
    walked = [Position(), *(position for position, _ in islice(plan().walk(Position()), 250))]
    assert walked[-1].epoch == 3
    assert [course.seek(number) for number in range(251)] == walked
    assert [course.seek(40, walked[number]) for number in (0, 3, 77, 210)] == [
        walked[number + 40] for number in (0, 3, 77, 210)
    ]
    assert read == []


def test_epochs_are_counted_in_groups(windows):
    first = sum(len(plan().groups(0, window)) for window in range(windows))
    second = sum(len(plan().groups(1, window)) for window in range(windows))
    assert plan().epochs(0) == 0
    assert plan().epochs(first) == 1
    assert plan().epochs(first + 9) == pytest.approx(1 + 9 / second)


def test_only_the_lengths_of_the_windows_that_are_come_to_are_read(windows):
    read = []
    course = plan(read)
    start = Position(1, windows - 1, 2)
    next(course.walk(start))
    assert read == [sorted(course.blocks(1, windows - 1).tolist())]


def test_an_example_longer_than_a_step_is_a_group_and_none_is_empty():
    found = [group for window in range(plan().windows) for group in plan(
        tokens_per_step=1
    ).groups(0, window)]  # fmt: skip
    assert [len(group) for group in found] == [1] * 500
