import tracemalloc

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


def templates(count):
    """Texts that share most of their grams with each other."""
    return [f"Der kleine Hund läuft am Morgen über die Wiese Nummer {i:04d}." for i in range(count)]


def test_grams_that_all_texts_share_cost_a_bounded_memory(monkeypatch):
    monkeypatch.setattr("pipeline.cleaning.near.MOST_ENTRIES", 1 << 14)
    texts = templates(400)
    index = NearIndex.of([pa.array(texts[:300])], 0.9)
    looked = pa.array([*texts, *[f"{text} Und dann?" for text in texts], "etwas anderes"])
    tracemalloc.start()
    found = index.has(looked)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found[:300].all()
    assert not found[400:].any()
    assert peak < 20 * 2**20


def test_a_bound_changes_nothing(monkeypatch):
    index = NearIndex.of([pa.array(templates(60))], 0.95)
    looked = pa.array(templates(120))
    whole = index.has(looked)
    assert 60 <= whole.sum() < 120
    monkeypatch.setattr("pipeline.cleaning.near.MOST_ENTRIES", 50)
    assert (index.has(looked) == whole).all()


def test_a_text_that_is_held_out_many_times_is_kept_once():
    one, many = (NearIndex.of([pa.array(templates(3) * n)] * n, 0.8) for n in (1, 50))
    assert len(one.grams) == len(many.grams)
    assert many.has(pa.array(templates(5))).tolist() == one.has(pa.array(templates(5))).tolist()
