"""Error rates: by hand, against the best of several references, and tied to exact match."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.metrics.character_error_rate import CharacterErrorRate
from pipeline.metrics.exact_match import ExactMatch
from pipeline.metrics.metric import measure
from pipeline.metrics.row_error_rate import RowErrorRate
from pipeline.metrics.word_error_rate import WordErrorRate

TEXTS = st.text("ab ", max_size=6)
REFERENCES = st.lists(TEXTS, min_size=1, max_size=3)
ROWS = st.lists(st.tuples(TEXTS, REFERENCES), min_size=1, max_size=5)


def rate(metric, hypotheses, references):
    return measure(metric, "rate", hypotheses, references).value


def test_phones_are_words_and_a_pronunciation_is_right_where_it_equals_one_of_several():
    hypotheses = ["AE B S", "EY B IY EH S", "AH"]
    references = [["AE B Z", "EY B IY EH S"], ["AE B Z", "EY B IY EH S"], ["AH", "AE"]]
    found = measure(WordErrorRate(), "word_error_rate", hypotheses, references)
    assert found.value == pytest.approx(100 * 1 / (3 + 5 + 1))
    assert found.signature == "nrefs:2|unit:word|ref:closest|case:mixed|norm:none"
    assert rate(RowErrorRate(), hypotheses, references) == pytest.approx(100 / 3)


def test_characters_count_white_space():
    assert rate(CharacterErrorRate(), ["ab cd"], [["abcd"]]) == 25
    assert rate(WordErrorRate(), ["ab  cd"], [["ab cd"]]) == 0


def test_of_references_with_as_few_edits_the_longest_counts():
    values = WordErrorRate().statistics(["a b"], [["a", "a b c"]], "").values
    assert values.tolist() == [[1, 3]]
    assert WordErrorRate().statistics(["a b"], [["a b c", "a"]], "").values.tolist() == [[1, 3]]


def test_a_rate_may_be_above_a_hundred_and_an_empty_reference_counts_as_one_unit():
    assert rate(WordErrorRate(), ["a b c"], [["d"]]) == 300
    assert rate(WordErrorRate(), ["a b"], [[""]]) == 200
    assert rate(WordErrorRate(), [""], [[""]]) == 0


@settings(deadline=None)
@given(ROWS)
def test_wrong_rows_and_exact_matches_are_all_rows(rows):
    hypotheses, references = [row[0] for row in rows], [row[1] for row in rows]
    matches = rate(ExactMatch(), hypotheses, references)
    assert rate(RowErrorRate(), hypotheses, references) == pytest.approx(100 - 100 * matches)


@pytest.mark.parametrize("metric", [CharacterErrorRate(), WordErrorRate(), RowErrorRate()])
@settings(deadline=None)
@given(rows=ROWS)
def test_a_row_has_the_fewest_edits_of_its_references_in_any_order(metric, rows):
    hypotheses, references = [row[0] for row in rows], [row[1] for row in rows]
    found = metric.statistics(hypotheses, references, "").values
    turned = metric.statistics(hypotheses, [accepted[::-1] for accepted in references], "").values
    assert found.tolist() == turned.tolist()
    for text, accepted, (errors, length) in zip(hypotheses, references, found, strict=True):
        alone = [metric.statistics([text], [[one]], "").values[0].tolist() for one in accepted]
        assert [errors, length] in alone
        assert errors == min(each[0] for each in alone)
