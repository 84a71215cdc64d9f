"""The split: test combines what train has seen apart."""

import itertools
import re
from collections import Counter

import pytest

from pipeline.corpora.sample import cldr, concepts, draw
from pipeline.corpora.sample.deck import Table
from pipeline.corpora.sample.generate import combinations, generate
from pipeline.corpora.sample.german.nouns import NOUNS
from pipeline.corpora.sample.meaning import Noun


@pytest.fixture(scope="module")
def parts():
    return generate(("de", "en"), pairs=3000, valid=60, test=120, held_out_percent=3, seed=5)


def test_combinations_are_slots_in_their_family_and_neighbours_of_slots():
    slots = (("subject", "Anna"), ("verb", "read"), ("object", "novel"))
    assert combinations("simple", slots) == [
        "simple|subject|Anna",
        "simple|verb|read",
        "simple|object|novel",
        "subject|Anna|verb|read",
        "verb|read|object|novel",
    ]


def test_each_sentence_of_valid_and_test_has_a_combination_that_train_never_has(parts):
    train, valid, test = parts
    seen = {key for drawn in train for key in combinations(drawn.family, drawn.slots)}
    for drawn in valid + test:
        assert set(combinations(drawn.family, drawn.slots)) - seen, drawn


def test_each_value_and_word_of_valid_and_test_is_in_train(parts):
    train, valid, test = parts
    values = {slot for drawn in train for slot in drawn.slots}
    words = [
        Counter(
            word for drawn in train for word in re.findall(r"\w+|[^\w\s]", getattr(drawn, side))
        )
        for side in ("source", "target")
    ]
    for drawn in valid + test:
        assert set(drawn.slots) <= values
        for side, known in zip((drawn.source, drawn.target), words, strict=True):
            assert min(known[word] for word in re.findall(r"\w+|[^\w\s]", side)) >= 2


@pytest.mark.parametrize("target", ["en", "fr"])
def test_no_combination_stands_in_two_splits(target):
    parts = generate(("de", target), pairs=300, valid=150, test=150, held_out_percent=20, seed=1)
    groups = [{drawn.combination for drawn in part} for part in parts]
    assert [a & b for a, b in itertools.combinations(groups, 2)] == [set(), set(), set()]


def test_a_sentence_says_whatever_its_slots_hold(parts):
    for drawn in [each for part in parts for each in part]:
        for slot, value in drawn.slots:
            if slot in ("subject", "other", "object"):
                assert any(word in drawn.source for word in NOUNS.get(value, ["", ""])[1:]), drawn
            if slot == "count" and drawn.family != "phrase":
                assert cldr.words(int(value), "de") in drawn.source, drawn


def test_who_is_drawn_in_vain_leaves_no_slot():
    table = Table(1, most=3)
    for concept in 20 * (concepts.PEOPLE + concepts.KIN):
        table.slots.clear()
        found = draw.other(table, Noun(concept, "name"))
        adjectives = [("other adjective", found.adjective)] if found.adjective else []
        assert table.slots == [("other", found.concept), *adjectives]
