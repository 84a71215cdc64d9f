"""The paired bootstrap equals sacreBLEU's, and says what it should of plain cases."""

import random

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.significance import PairedTest

from pipeline.metrics import bootstrap
from pipeline.metrics.bleu import Bleu
from pipeline.metrics.bootstrap import paired, resampled
from pipeline.metrics.chrf import Chrf
from pipeline.metrics.exact_match import ExactMatch

WORDS = [
    "the",
    "a",
    "dog",
    "cat",
    "runs",
    "sits",
    "on",
    "under",
    "green",
    "old",
    "table",
    "house",
    "quickly",
    "and",
]


def corpus(seed: int, errors: float) -> tuple[list[str], list[list[str]]]:
    """60 references, and hypotheses in which a share of the words is wrong."""
    draw = random.Random(seed)
    references = [" ".join(draw.choices(WORDS, k=draw.randint(4, 12))) for _ in range(60)]
    noise = random.Random(seed + errors)
    hypotheses = [
        " ".join(noise.choice(WORDS) if noise.random() < errors else word for word in line.split())
        for line in references
    ]
    return hypotheses, [[line] for line in references]


def p_value(metric, champion, challenger, resamples: int, seed: int) -> float:
    """Two-sided: the share of resamples whose centred difference exceeds the one found."""
    scores = resampled(metric, champion, challenger, resamples, seed)
    sizes = np.abs(scores[:, 1] - scores[:, 0])
    difference = metric.score(challenger.sum(0)) - metric.score(champion.sum(0))
    return (int(np.sum(sizes - sizes.mean() > abs(difference))) + 1) / (resamples + 1)


@pytest.mark.parametrize(("ours", "theirs"), [(Bleu(), BLEU()), (Chrf(), CHRF())])
def test_scores_intervals_and_p_values_are_sacrebleu_s(ours, theirs, monkeypatch):
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    (worse, references), (better, _) = corpus(1, 0.35), corpus(1, 0.25)
    test = PairedTest(
        [("champion", worse), ("challenger", better)],
        {"metric": theirs},
        [[row[0] for row in references]],
        test_type="bs",
        n_samples=200,
    )
    _, scores = test()
    baseline, system = next(value for name, value in scores.items() if name != "System")
    values = [ours.statistics(texts, references, "en").values for texts in (worse, better)]
    found = paired(ours, *values, resamples=200, seed=12345)
    assert found.champion == pytest.approx(baseline.score, abs=1e-12)
    assert found.challenger == pytest.approx(system.score, abs=1e-12)
    assert p_value(ours, *values, 200, 12345) == system.p_value


def test_blocks_of_resamples_do_not_change_the_result(monkeypatch):
    (worse, references), (better, _) = corpus(2, 0.3), corpus(2, 0.2)
    values = [Bleu().statistics(texts, references, "en").values for texts in (worse, better)]
    whole = paired(Bleu(), *values, resamples=50, seed=7)
    monkeypatch.setattr(bootstrap, "_CELLS", 60 * 7)
    assert paired(Bleu(), *values, resamples=50, seed=7) == whole


def test_equal_systems_differ_by_nothing():
    texts, references = corpus(3, 0.3)
    values = Bleu().statistics(texts, references, "en").values
    found = paired(Bleu(), values, values, resamples=100, seed=1)
    assert found.champion == found.challenger
    assert (found.low, found.high) == (0.0, 0.0)


def test_a_clear_difference_lies_outside_of_zero_and_another_seed_gives_another_interval():
    champion = np.array([[1.0, 1.0]] * 50 + [[0.0, 1.0]] * 50)
    challenger = np.array([[1.0, 1.0]] * 90 + [[0.0, 1.0]] * 10)
    found = paired(ExactMatch(), champion, challenger, resamples=400, seed=1)
    assert (found.champion, found.challenger) == (0.5, 0.9)
    assert 0.25 < found.low < 0.4 < found.high < 0.55
    assert p_value(ExactMatch(), champion, challenger, 400, 1) < 0.01
    assert paired(ExactMatch(), champion, challenger, resamples=400, seed=2) != found
