import sys

import pyarrow as pa
import pytest

from pipeline.cleaning import RULES
from pipeline.cleaning.duplicate import Duplicate
from pipeline.cleaning.empty import Empty
from pipeline.cleaning.judge import COLUMNS
from pipeline.cleaning.leak import Leak
from pipeline.cleaning.length_ratio import LengthRatio
from pipeline.cleaning.odd_script import OddScript
from pipeline.cleaning.rule import HeldOutRule, RepeatRule, RowRule
from pipeline.cleaning.same import Same
from pipeline.cleaning.too_long import TooLong


def view(*pairs, languages=("de", "en")):
    """Normalised rows as rules see them."""
    sides = [pa.array([pair[side] for pair in pairs], pa.string()) for side in (0, 1)]
    codes = [pa.array([code] * len(pairs), pa.string()) for code in languages]
    return pa.record_batch([*sides, *codes], COLUMNS)


@pytest.mark.parametrize("name", sorted(RULES))
def test_a_rule_is_total_and_opens_with_an_example(name):
    rule = RULES[name]()
    assert "Example:" in sys.modules[RULES[name].__module__].__doc__
    odd = view(("", ""), ("a", ""), ("", "b"), ("\x00", "\u0301"), ("😀" * 50, "x"))
    for rows in (odd, odd.slice(0, 0)):
        if isinstance(rule, RowRule):
            assert len(rule.drop(rows)) == len(rows)
        elif isinstance(rule, HeldOutRule):
            assert rule.against([rows])(rows).to_pylist() == [True] * len(rows)
            assert rule.against([])(rows).to_pylist() == [False] * len(rows)
        else:
            assert isinstance(rule, RepeatRule)
            assert rule.keys(rows).shape == (len(rows), 2)


def test_empty_sides_go():
    rows = view(("a", "b"), ("", "b"), ("a", ""), ("", ""))
    assert Empty().drop(rows).to_pylist() == [False, True, True, True]


def test_length_is_counted_in_characters_on_either_side():
    rows = view(("ä" * 10, "b"), ("ä" * 11, "b"), ("a", "😀" * 10), ("a", "😀" * 11))
    assert TooLong(max_characters=10).drop(rows).to_pylist() == [False, True, False, True]


def test_a_ratio_counts_only_from_a_length_on_and_has_no_zero_to_divide_by():
    rows = view(("a" * 50, "b" * 10), ("a" * 51, "b" * 10), ("a", "b" * 19), ("", "b" * 20))
    rule = LengthRatio(max_ratio=5.0, min_characters=20)
    assert rule.drop(rows).to_pylist() == [False, True, False, True]


def test_equal_sides_go():
    assert Same().drop(view(("a", "a"), ("a", "A"))).to_pylist() == [True, False]


def test_letters_of_another_script_make_a_side_odd_when_they_are_most_of_it():
    rows = view(
        ("Ein Hund.", "A dog."),
        ("Привет, как дела?", "Hello, how are you?"),
        ("Das Wort «привет» heißt hallo.", "The word privet means hello."),
        ("1234 – 5678!", "1234"),
        ("Ein Hund.", "狗"),
    )
    assert OddScript().drop(rows).to_pylist() == [False, True, False, False, True]
    assert OddScript(min_share=1.0).drop(rows).to_pylist() == [False, True, True, False, True]


def test_scripts_follow_the_language_of_each_row():
    rows = view(("Привет", "こんにちは、世界ー"), languages=("ru", "ja"))
    assert OddScript().drop(rows).to_pylist() == [False]
    assert OddScript().drop(view(("Привет", "Hi"), languages=("de", "en"))).to_pylist() == [True]
    assert OddScript().drop(view(("Привет", "Hi"), languages=("tlh", "en"))).to_pylist() == [False]
    assert OddScript().drop(view(("Olá", "Hi"), languages=("pt-BR", "en"))).to_pylist() == [False]


@pytest.mark.parametrize("code", ["de", "DE", "de-AT", "de_AT", "de_Latn_AT"])
def test_a_script_goes_by_the_first_part_of_a_language_code(code):
    assert OddScript().drop(view(("Привет", "Hi"), languages=(code, "en"))).to_pylist() == [True]


@pytest.mark.parametrize(
    ("key", "groups"), [("pair", [0, 1, 2, 0]), ("source", [0, 0, 2, 0]), ("target", [0, 1, 0, 0])]
)
def test_duplicates_share_what_the_key_names(key, groups):
    rows = view(("a", "x"), ("a", "y"), ("b", "x"), ("a", "x"))
    keys = [tuple(k) for k in Duplicate(key=key).keys(rows).tolist()]
    assert [keys.index(k) for k in keys] == groups


@pytest.mark.parametrize(
    ("leak_key", "dropped"),
    [
        ("source", [True, True, False, False]),
        ("pair", [True, False, False, False]),
        ("either", [True, True, True, False]),
    ],
)
def test_what_is_held_out_goes_by_source_pair_or_either(leak_key, dropped):
    held_out = [view(("a", "x")), view(("b", "y"))]
    rows = view(("a", "x"), ("a", "y2"), ("c", "y"), ("c", "z"))
    assert Leak(leak_key=leak_key).against(held_out)(rows).to_pylist() == dropped


def test_a_near_copy_goes_from_the_threshold_on():
    held_out = [view(("Ein kleiner Hund läuft über die Wiese.", "A small dog."))]
    rows = view(
        ("Ein kleiner Hund läuft über die Wiese!", "x"),
        ("Ein kleiner Hund läuft über die grüne Wiese.", "x"),
        ("Zwei Katzen schlafen auf dem Sofa.", "x"),
    )
    assert Leak().against(held_out)(rows).to_pylist() == [False, False, False]
    near = Leak(near_threshold=0.9).against(held_out)
    assert near(rows).to_pylist() == [True, False, False]
    near = Leak(near_threshold=0.7).against(held_out)
    assert near(rows).to_pylist() == [True, True, False]


def test_near_pairs_are_near_on_both_sides_together():
    held_out = [view(("Ein kleiner Hund läuft.", "A small dog is running."))]
    rows = view(("Ein kleiner Hund läuft!", "Something else entirely, you see."))
    assert Leak(leak_key="pair", near_threshold=0.8).against(held_out)(rows).to_pylist() == [False]
    assert Leak(leak_key="either", near_threshold=0.8).against(held_out)(rows).to_pylist() == [True]
