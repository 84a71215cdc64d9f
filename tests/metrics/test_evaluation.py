"""Test sets as a whole, by slice and by sentence."""

import pytest

from pipeline.metrics.evaluation import Evaluation, evaluate, language_of
from pipeline.metrics.slices import slices
from pipeline.outputs import Output
from pipeline.problems import Problem
from pipeline.records import Hypothesis, Score
from pipeline.settings import parse


def output(number: int, source: str, right: bool, corpus: str = "news", to: str = "en") -> Output:
    text = "A dog runs." if right else "Nothing"
    hypotheses = (Hypothesis(text, -0.5, -2.0, 4),)
    name = f"{corpus}:{number}"
    return Output(name, corpus, name, source, ("A dog runs.",), "de", to, hypotheses)


OUTPUTS = [
    output(0, "", True),
    output(1, "ein Wort", True),
    output(2, "drei Worte hier", False, "talks"),
    output(3, "fünf Worte stehen in diesem", False),
]


def test_slices_are_by_length_and_corpus_and_leave_out_the_empty_and_the_whole():
    assert slices(OUTPUTS, [2, 4]) == {
        "length 1-2": [0, 1],
        "length 3-4": [2],
        "length 5+": [3],
        "corpus news": [0, 1, 3],
        "corpus talks": [2],
    }
    assert slices(OUTPUTS[:2], [2, 4]) == {}
    assert slices(OUTPUTS, []) == {"corpus news": [0, 1, 3], "corpus talks": [2]}


def test_a_test_set_is_scored_as_a_whole_by_slice_and_by_sentence():
    found = evaluate(Evaluation(metrics=["exact_match"], length_bounds=[2]), OUTPUTS)
    signature = "nrefs:1|case:mixed|space:yes"
    assert found.scores == {"exact_match": Score("exact_match", 0.5, 4, signature)}
    assert found.slices == {
        "length 1-2": {"exact_match": Score("exact_match", 1.0, 2, signature)},
        "length 3+": {"exact_match": Score("exact_match", 0.0, 2, signature)},
        "corpus news": {"exact_match": Score("exact_match", 2 / 3, 3, signature)},
        "corpus talks": {"exact_match": Score("exact_match", 0.0, 1, signature)},
    }
    assert found.sentences == [{"exact_match": value} for value in (1.0, 1.0, 0.0, 0.0)]


def test_the_target_language_chooses_the_tokenizer_where_all_rows_have_one():
    assert language_of(OUTPUTS) == "en"
    assert language_of([*OUTPUTS, output(4, "x", True, to="fr")]) == ""
    chinese = [output(0, "x", True, to="zh")]
    assert "tok:zh" in evaluate(Evaluation(metrics=["bleu"]), chinese).scores["bleu"].signature


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"metrics": []}, "at least one metric"),
        ({"metrics": ["bleu", {"kind": "bleu", "lowercase": True}]}, "each only once"),
        ({"metrics": ["bleu"], "length_bounds": [20, 10]}, "bounds are positive and rise"),
        ({"metrics": ["bleu"], "length_bounds": [0]}, "bounds are positive and rise"),
        ({"metrics": ["chrff"]}, "did you mean 'chrf'"),
    ],
)
def test_impossible_settings_are_problems(values, message):
    with pytest.raises(Problem, match=message):
        parse(Evaluation, values, "params.yaml, evaluation")
