"""Every normalisation's score and bound on numbers worked out by hand."""

import pytest
import torch

from pipeline.decoding import NORMALISATIONS
from pipeline.decoding.normalisation import GNMT, Formula, Marian, Mean, Sum, WordReward


def scored(normalisation, total, ids):
    totals = torch.tensor([total], dtype=torch.float64)
    return normalisation.score(totals, torch.tensor([ids])).item()


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_a_normalisation_prefers_the_more_probable_of_equal_lengths(kind):
    normalisation = NORMALISATIONS[kind]()
    assert scored(normalisation, -2.0, 5) > scored(normalisation, -2.5, 5)


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_a_normalisation_scores_the_empty_target(kind):
    assert torch.isfinite(torch.tensor(scored(NORMALISATIONS[kind](), -2.0, 1)))


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_a_bound_is_no_less_than_any_score_that_is_still_possible(kind):
    normalisation = NORMALISATIONS[kind]()
    totals, shortest = torch.tensor([-3.0], dtype=torch.float64), torch.tensor([2])
    bound = normalisation.bound(totals, shortest, torch.tensor([9])).item()
    assert bound >= max(scored(normalisation, -3.0, ids) for ids in range(2, 10)) - 1e-12


@pytest.mark.parametrize("kind", NORMALISATIONS)
def test_a_normalisation_names_formula_eos_and_bound(kind):
    text = NORMALISATIONS[kind].__doc__
    assert "Score = " in text
    assert "Bound: " in text
    assert "EOS" in text or "eos_counts" in NORMALISATIONS[kind].model_fields


@pytest.mark.parametrize(
    ("normalisation", "score"),
    [
        (Sum(), -6.0),
        (Mean(), -1.5),
        (Mean(eos_counts=False), -2.0),
        (GNMT(alpha=1.0), -4.0),
        (GNMT(alpha=2.0), -6 / 2.25),
        (GNMT(alpha=1.0, eos_counts=False), -4.5),
        (Marian(), -1.5),
        (Marian(alpha=0.5), -3.0),
        (Marian(alpha=0.5, word_penalty=0.5), -4.0),
        (Marian(alpha=0.0, word_penalty=-0.5, eos_counts=False), -4.5),
        (WordReward(reward=0.25), -5.0),
        (WordReward(reward=0.25, eos_counts=False), -5.25),
    ],
)
def test_four_ids_that_cost_six_nats(normalisation, score):
    assert scored(normalisation, -6.0, 4) == pytest.approx(score, abs=1e-12)


@pytest.mark.parametrize(
    ("formula", "says"),
    [
        (Formula(Sum()), "s, EOS counts in s"),
        (Formula(Mean(eos_counts=False)), "s / n, EOS does not count in n"),
        (Formula(Mean(), 0.2), "s / n, EOS counts in n; + 0.2 coverage"),
        (Formula(GNMT()), "s / ((5 + n) / 6)^0.6, EOS counts in n"),
        (Formula(Marian(word_penalty=0.5)), "(s - 0.5 n) / n^1.0, EOS counts in n"),
        (Formula(WordReward()), "s + 0.2 n, EOS counts in n"),
    ],
)
def test_a_formula_can_be_read_beside_a_score(formula, says):
    assert str(formula) == says
