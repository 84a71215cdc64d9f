import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.cleaning.near import GRAM, NearIndex

TEXTS = st.lists(st.text("abcä ", max_size=24), max_size=12)


def grams(text):
    """By definition: the set of substrings of five characters, or the whole of a shorter text."""
    return {text[i : i + GRAM] for i in range(max(len(text) - GRAM + 1, 1))} if text else set()


def similar(a, b, threshold):
    a, b = grams(a), grams(b)
    return bool(a or b) and len(a & b) >= threshold * len(a | b)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.8])
@settings(max_examples=150, deadline=None)
@given(held_out=TEXTS, texts=TEXTS)
def test_what_is_found_is_what_the_definition_says(threshold, held_out, texts):
    index = NearIndex.of([pa.array(held_out, pa.string())], threshold)
    expected = [any(similar(text, held, threshold) for held in held_out) for text in texts]
    assert index.has(pa.array(texts, pa.string())).tolist() == expected


def test_slices_of_many_texts_change_nothing(monkeypatch):
    draw = np.random.default_rng(5)
    words = ["der", "hund", "läuft", "über", "die", "wiese", "und", "schläft"]
    texts = pa.array([" ".join(draw.choice(words, 6)) for _ in range(300)])
    index = NearIndex.of([texts.slice(0, 40)], 0.6)
    whole = index.has(texts)
    monkeypatch.setattr("pipeline.cleaning.near.ROWS", 7)
    assert (index.has(texts) == whole).all()
    assert whole[:40].all() and not whole.all()
