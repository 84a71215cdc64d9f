import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.normalise import Normaliser

KINDS = [
    Normaliser(form=form, whitespace=whitespace, control=control)
    for form in ("none", "NFC", "NFKC")
    for whitespace in ("keep", "collapse")
    for control in ("keep", "remove")
]
# Letters with marks, white space of many kinds, controls, and what NFKC takes apart.
ODD = "a e\u0301\u0308é \t\n\r\x0b\x1c\x85\u00a0\u2003\u2028\u200b\u200d\ufeff\u00ad\x00\x1b"
ODD += "´ﬁ①ｱﾞ각각\ue000▁"
TEXTS = st.text(st.one_of(st.sampled_from(ODD), st.characters(exclude_categories=["Cs"])))


def test_the_default_composes_collapses_and_drops_what_cannot_be_seen():
    text = "\ufeffEin\u00a0 kleines\tMa\u0308dchen\u200b\x07 \r\n"
    assert Normaliser().text(text) == "Ein kleines Mädchen"


def test_joiners_that_mean_something_stay():
    assert Normaliser().text("می‌روم 👩‍👧") == "می‌روم 👩‍👧"


def test_nothing_is_changed_when_everything_is_off():
    off = Normaliser(form="none", whitespace="keep", control="keep")
    assert off.text(" a\u0308\t\x07 \n") == " a\u0308\t\x07 \n"


def test_control_characters_go_before_letters_are_composed():
    assert Normaliser().text("a\u200b\u0308") == "ä"


@pytest.mark.parametrize("normaliser", KINDS)
@settings(max_examples=100, deadline=None)
@given(texts=st.lists(TEXTS, max_size=8))
def test_an_array_is_normalised_as_its_texts_are_and_twice_is_once(normaliser, texts):
    expected = [normaliser.text(text) for text in texts]
    assert normaliser.array(pa.array(texts, pa.string())).to_pylist() == expected
    assert [normaliser.text(text) for text in expected] == expected


def test_every_character_that_is_passed_over_as_plain_is_its_own_normal_form():
    for normaliser in KINDS:
        letters = [chr(i) for i in range(0x21, 0x300) if not chr(i).isspace()]
        plain = pa.array(letters)
        assert normaliser.array(plain).to_pylist() == [normaliser.text(c) for c in letters]
    assert all(unicodedata.is_normalized("NFC", chr(i)) for i in range(0x300))
