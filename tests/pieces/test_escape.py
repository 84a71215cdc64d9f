from hypothesis import given
from hypothesis import strategies as st

from pipeline.pieces.escape import escape, unescape


def test_the_two_characters_are_spelt_and_others_stay():
    assert escape("a▁b \ue000") == "a\ue000bb \ue000a"
    assert escape("Ein Hund") == "Ein Hund"


@given(st.text("▁\ue000ab "))
def test_escaping_loses_nothing_and_leaves_no_space_sign(text):
    assert "▁" not in escape(text)
    assert unescape(escape(text)) == text


@given(st.text("▁\ue000ab "))
def test_whatever_a_model_writes_can_be_read(text):
    unescape(text)
