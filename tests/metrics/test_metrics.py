"""Every metric of the table keeps the contract; bleu and chrf equal sacreBLEU's own."""

import numpy as np
import pytest
import sacrebleu

from pipeline.metrics import METRICS, MetricSettings, as_metric, higher_is_better, kind
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.chrf import Chrf
from pipeline.metrics.exact_match import ExactMatch
from pipeline.metrics.metric import measure
from pipeline.problems import Problem
from pipeline.settings import Settings, parse

HYPOTHESES = ["A girl climbs up the stairs.", "Two dogs run", "the man reads a book .", ""]
REFERENCES = [
    ["A little girl climbs up the stairs."],
    ["Two dogs are running.", "Two dogs run"],
    ["The man is reading a book."],
    ["Nothing."],
]
COLUMNS = [[row[0] for row in REFERENCES], [None, "Two dogs run", None, None]]


class Holder(Settings):
    metrics: list[MetricSettings]


@pytest.mark.parametrize("name", sorted(METRICS))
def test_a_metric_scores_any_rows_from_summed_statistics_and_prefers_the_reference(name: str):
    metric = as_metric(METRICS[name]())
    found = metric.statistics(HYPOTHESES, REFERENCES, "en")
    assert found.values.dtype == np.float64
    assert len(found.values) == 4
    some = metric.statistics(HYPOTHESES[1:3], REFERENCES[1:3], "en")
    assert metric.score(found.values[1:3].sum(0)) == metric.score(some.values.sum(0))
    best = measure(metric, name, [row[0] for row in REFERENCES], REFERENCES, "en")
    ours = measure(metric, name, HYPOTHESES, REFERENCES, "en")
    if metric.higher_is_better:
        assert 0 <= ours.value < best.value
    else:
        assert 0 == best.value < ours.value
    assert higher_is_better(name) == metric.higher_is_better
    assert metric.sentence(found.values[1]) == pytest.approx(best.value)
    assert kind(metric) == name


def test_bleu_and_its_signature_are_sacrebleu_s():
    score = measure(Bleu(), "bleu", HYPOTHESES, REFERENCES, "en")
    theirs = sacrebleu.BLEU(force=True)
    assert score.value == theirs.corpus_score(HYPOTHESES, COLUMNS).score
    assert score.rows == 4
    assert score.signature == "nrefs:var|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"
    assert score.signature == str(theirs.get_signature())


def test_lowercase_and_word_order_reach_sacrebleu_and_show_in_the_signature():
    lower = measure(Bleu(lowercase=True), "bleu", HYPOTHESES, REFERENCES, "en")
    assert lower.value == sacrebleu.BLEU(lowercase=True).corpus_score(HYPOTHESES, COLUMNS).score
    assert "case:lc" in lower.signature
    plus = measure(Chrf(word_order=2), "chrf", HYPOTHESES, REFERENCES, "en")
    assert plus.value == sacrebleu.CHRF(word_order=2).corpus_score(HYPOTHESES, COLUMNS).score
    assert "nw:2" in plus.signature


def test_chrf_is_sacrebleu_s():
    score = measure(Chrf(), "chrf", HYPOTHESES, REFERENCES, "en")
    assert score.value == sacrebleu.CHRF().corpus_score(HYPOTHESES, COLUMNS).score
    assert score.signature == "nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0"


def test_a_sentence_s_bleu_is_of_effective_order():
    found = Bleu().statistics(["Two dogs run"], [["Two dogs run"]], "en")
    assert Bleu().sentence(found.values[0]) == pytest.approx(100)
    assert Bleu().score(found.values[0]) == 0


def test_words_are_cut_by_the_target_language():
    chinese = measure(Bleu(), "bleu", ["我们走吧"], [["我们走吧"]], "zh")
    assert chinese.value == pytest.approx(100)
    assert "tok:zh" in chinese.signature
    by_character = measure(Bleu(tokenizer="char"), "bleu", ["我们走吧"], [["我们走吧"]], "zh")
    assert "tok:char" in by_character.signature


def test_a_language_whose_tokenizer_is_not_installed_is_a_problem_with_a_remedy():
    with pytest.raises(Problem, match="not installed") as caught:
        Bleu().statistics(["はい"], [["はい"]], "ja")
    assert caught.value.remedy == "pip install 'sacrebleu[ja]', or {kind: bleu, tokenizer: char}"


def test_exact_match_compares_to_the_character_with_any_reference():
    score = measure(ExactMatch(), "exact_match", ["No.", "no.", "Yes"], [["Nope.", "No."]] * 3)
    assert (score.value, score.rows) == (1 / 3, 3)
    assert score.signature == "nrefs:2|case:mixed|space:yes"


def test_a_metric_is_named_alone_or_with_its_fields():
    held = Holder(metrics=["chrf", {"kind": "bleu", "lowercase": True}])
    assert held.metrics == [Chrf(), Bleu(lowercase=True)]
    with pytest.raises(Problem, match="unknown kind 'blue': did you mean 'bleu'"):
        parse(Holder, {"metrics": ["blue"]}, "params.yaml")
