"""The score that validations are told by: of texts, whose words are cut as in the tests."""

from collections.abc import Callable, Iterable, Sequence

from pipeline.metrics import METRICS, as_metric
from pipeline.metrics.bleu import Bleu, Tokenizer
from pipeline.metrics.metric import Metric, common_language, measure
from pipeline.problems import Problem

Score = Callable[[Sequence[str], Sequence[str]], float]
"""Hypotheses and their references → score."""


def score_of(best_by: str, tokenizer: Tokenizer, languages: Iterable[str]) -> tuple[str, Score]:
    """What validations are compared by, or BLEU beside the loss, by name; a Problem where words of
    the targets' languages cannot be cut."""
    name = "bleu" if best_by == "loss" else best_by
    language = common_language(languages)
    metric: Metric = as_metric(METRICS[name]())
    if name == "bleu":
        metric = Bleu(tokenizer=tokenizer)
        _check_tokenizer(metric, language)

    def score(hypotheses: Sequence[str], references: Sequence[str]) -> float:
        return measure(metric, name, hypotheses, [[text] for text in references], language).value

    return name, score


def _check_tokenizer(bleu: Bleu, language: str) -> None:
    """Raise a Problem where what BLEU cuts the words of a language with is not installed."""
    try:
        bleu.statistics([""], [[""]], language)
    except Problem as problem:
        raise Problem(
            problem.what,
            where="params.yaml, training.bleu_tokenizer",
            value=language,
            remedy=f"pip install 'sacrebleu[{language}]', or training.bleu_tokenizer: char",
        ) from problem
