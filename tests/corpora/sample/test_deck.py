"""Decks deal every value equally often."""

from collections import Counter

from pipeline.corpora.sample.deck import Table


def test_each_value_comes_once_before_any_comes_again():
    table = Table(1, most=100)
    dealt = [table.deal("numbers", range(5)) for _ in range(15)]
    assert [sorted(dealt[first : first + 5]) for first in (0, 5, 10)] == [[0, 1, 2, 3, 4]] * 3


def test_a_deck_is_not_disturbed_by_another():
    alone, beside = Table(1, most=100), Table(1, most=100)
    for _ in range(7):
        beside.deal("other", "abc")
    assert [alone.deal("n", range(9)) for _ in range(20)] == [
        beside.deal("n", range(9)) for _ in range(20)
    ]


def test_filling_remembers_the_slot_and_keeps_to_the_most_values():
    table = Table(1, most=3)
    dealt = Counter(table.fill("city", "cities", range(100)) for _ in range(30))
    assert sorted(dealt.values()) == [10, 10, 10]
    assert len(table.slots) == 30
    assert {slot for slot, _ in table.slots} == {"city"}
