"""Edits are Levenshtein's: equal to the recursion itself, a metric, and the same in any batch."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics import edits as module
from pipeline.metrics.edits import edits

WORDS = st.lists(st.sampled_from("abc"), max_size=7).map(tuple)
PAIRS = st.lists(st.tuples(WORDS, WORDS), max_size=9)


@cache
def brute(first, second):
    """The recursion by which the distance is defined."""
    if not first or not second:
        return len(first) + len(second)
    return min(
        brute(first[1:], second) + 1,
        brute(first, second[1:]) + 1,
        brute(first[1:], second[1:]) + (first[0] != second[0]),
    )


def distance(first, second):
    return int(edits([first], [second])[0])


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("", "", 0), ("abc", "bcd", 2)],
)
def test_known_distances(first, second, expected):
    assert distance(first, second) == expected


@settings(deadline=None)
@given(PAIRS)
def test_a_batch_of_any_lengths_equals_the_recursion(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    assert edits(first, second).tolist() == [brute(a, b) for a, b in pairs]


@settings(deadline=None)
@given(PAIRS)
def test_small_blocks_change_nothing(pairs):
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    with pytest.MonkeyPatch.context() as patch:
        whole = edits(first, second).tolist()
        patch.setattr(module, "CELLS", 5)
        assert edits(first, second).tolist() == whole


@settings(deadline=None)
@given(WORDS, WORDS, WORDS)
def test_it_is_a_metric_within_its_bounds(first, second, third):
    found = distance(first, second)
    assert found == distance(second, first)
    assert (found == 0) == (first == second)
    assert found <= distance(first, third) + distance(third, second)
    assert abs(len(first) - len(second)) <= found <= max(len(first), len(second))
