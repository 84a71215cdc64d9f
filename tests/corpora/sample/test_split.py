"""The split: test combines what train has seen apart."""

import re
from collections import Counter

import pytest

from pipeline.corpora.sample.generate import combinations, generate


@pytest.fixture(scope="module")
def parts():
    return generate(("de", "en"), pairs=3000, valid=60, test=120, held_out_percent=3, seed=4)


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
