"""The law of search: what is taken at each step, enumeration, greedy, ensembles, ties."""

import itertools
import math

import pytest
import torch

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode, source_batch
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Marian, Mean, Sum, WordReward

V = 7  # PAD, UNKNOWN, BOS, EOS and three words
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 3], [4, 3]]
NORMALISATIONS = {
    "sum": (Sum(), lambda s, n: s),
    "mean": (Mean(), lambda s, n: s / n),
    "mean without EOS": (Mean(eos_counts=False), lambda s, n: s / max(1, n - 1)),
    "gnmt": (GNMT(alpha=0.8), lambda s, n: s / ((5 + n) / 6) ** 0.8),
    "gnmt without EOS": (
        GNMT(alpha=1.5, eos_counts=False),
        lambda s, n: s / ((5 + max(1, n - 1)) / 6) ** 1.5,
    ),
    "marian": (Marian(alpha=0.7), lambda s, n: s / n**0.7),
    "marian, penalised": (Marian(alpha=0.5, word_penalty=0.9), lambda s, n: (s - 0.9 * n) / n**0.5),
    "marian, rewarded": (Marian(alpha=1.3, word_penalty=-0.8), lambda s, n: (s + 0.8 * n) / n**1.3),
    "word reward": (WordReward(reward=1.4), lambda s, n: s + 1.4 * n),
    "word penalty": (WordReward(reward=-0.6), lambda s, n: s - 0.6 * n),
    "word reward without EOS": (
        WordReward(reward=1.1, eos_counts=False),
        lambda s, n: s + 1.1 * max(1, n - 1),
    ),
}
EVERY = pytest.mark.parametrize("name", NORMALISATIONS)


def beam(limit, places, normalisation=None):
    return Beam(
        beam_size=places, normalisation=normalisation or Mean(),
        max_length_ratio=0, max_length_extra=limit,
    )  # fmt: skip


def enumerated(markov, following, formula, limit):
    """Every target with its score, best first."""
    scored = []
    for ids in markov.every_target(V, limit):
        total = sum(following(ids[:t])[id] for t, id in enumerate(ids))
        scored.append((formula(total, len(ids)), total, ids))
    return sorted(scored, reverse=True)


def same(found, expected):
    """Whole n-bests: ids, and scores and sums to 1e-9."""
    assert [(*one.ids, 3) for one in found] == [ids for _, _, ids in expected]
    for one, (score, total, ids) in zip(found, expected, strict=True):
        assert math.isclose(one.score, score, abs_tol=1e-9)
        assert math.isclose(one.log_probability, total, abs_tol=1e-9)
        assert one.length == len(ids)


@EVERY
def test_beam_with_places_for_everything_is_enumeration(markov, name):
    normalisation, formula = NORMALISATIONS[name]
    model, limit = markov.Markov(V, seed=1), 4
    places = len(list(markov.every_target(V, limit)))
    search = beam(limit, places, normalisation)
    for n_best in (1, 5, places):
        results = decode(model, SOURCES, search, n_best=n_best)
        for source, found in zip(SOURCES, results, strict=True):
            expected = enumerated(markov, lambda ids, s=source: model.next(s, ids), formula, limit)
            same(found, expected[:n_best])


@EVERY
@pytest.mark.parametrize("places", [1, 2, 3, 5])
def test_stopping_early_changes_nothing_of_what_plain_beam_search_finds(markov, name, places):
    normalisation, formula = NORMALISATIONS[name]
    model, limit = markov.Markov(V, seed=2, sharpness=1.5), 9
    sources = [[4 + i, 3] for i in range(24)]
    for n_best in {1, places}:
        results = decode(model, sources, beam(limit, places, normalisation), n_best=n_best)
        for source, found in zip(sources, results, strict=True):
            ended = markov.plain_beam(lambda ids, s=source: model.next(s, ids), places, limit)
            scored = [(formula(total, len(ids)), total, ids) for ids, total in ended]
            same(found, sorted(scored, key=lambda one: -one[0])[:n_best])


@EVERY
def test_a_late_hypothesis_that_wins_is_waited_for(name):
    """EOS at once costs 1; the only other way costs 3 at once and nothing more, 30 ids long."""
    normalisation, formula = NORMALISATIONS[name]
    found = decode(Patient(), [[4, 3]], beam(30, 2, normalisation))[0][0]
    late = formula(-3.0, 30) > formula(-1.0, 1)
    assert late == (name not in {"sum", "word penalty", "marian, penalised"})
    assert found.ids == ((4,) * 29 if late else ())
    assert math.isclose(found.score, max(formula(-3.0, 30), formula(-1.0, 1)), abs_tol=1e-9)


class Patient:
    """Ids and their log-probabilities that depend only on how many came before."""

    vocabulary = V

    def __init__(self, said=0):
        self.said = said

    def encode(self, batch, *, attention=False, steady=False):
        return self

    def select(self, sources, beams):
        return self

    def advance(self, ids, state):
        row = torch.full((V,), -math.inf, dtype=torch.float64)
        if state.said == 0:
            row[3], row[4] = -1.0, -3.0
        else:
            row[3 if state.said == 29 else 4] = 0.0
        return row.expand(*ids.shape, V), None, Patient(state.said + 1)


@EVERY
def test_no_continuation_scores_above_the_bound(name):
    normalisation, formula = NORMALISATIONS[name]
    for said, limit, total in itertools.product(range(6), range(1, 12), (-9.0, -1.3, -0.01)):
        lengths = range(said + 1, limit + 1)
        bound = normalisation.bound(*map(torch.tensor, ([total], [said + 1], [limit]))).item()
        for length, loss in itertools.product(lengths, (0.0, 0.4, 7.0)):
            assert formula(total - loss, length) <= bound + 1e-12


def test_beam_of_one_is_greedy(markov):
    model = markov.Markov(V, seed=3)
    sources = [[4 + i, 5, 3] for i in range(40)]
    beams = decode(model, sources, beam(8, 1, Sum()))
    assert beams == decode(model, sources, Greedy(max_length_ratio=0, max_length_extra=8))


@pytest.mark.parametrize("mixture", ["arithmetic", "geometric"])
def test_an_ensemble_is_enumeration_under_its_combined_distribution(markov, mixture):
    models = [markov.Markov(V, seed=4), markov.Markov(V, seed=5)]

    def combined(source, ids):
        rows = [[math.exp(x) for x in model.next(source, ids)] for model in models]
        if mixture == "arithmetic":
            mixed = [(a + b) / 2 for a, b in zip(*rows, strict=True)]
        else:
            mixed = [math.sqrt(a * b) for a, b in zip(*rows, strict=True)]
        whole = sum(mixed)
        assert mixture == "geometric" or math.isclose(whole, 1, abs_tol=1e-12)
        return [math.log(x / whole) for x in mixed]

    limit = 4
    places = len(list(markov.every_target(V, limit)))
    results = decode(Ensemble(models, mixture), SOURCES, beam(limit, places), n_best=places)
    for source, found in zip(SOURCES, results, strict=True):
        following = lambda ids, s=source: combined(s, ids)  # noqa: E731
        same(found, enumerated(markov, following, lambda s, n: s / n, limit))


@pytest.mark.parametrize("mixture", ["arithmetic", "geometric"])
def test_the_distribution_of_an_ensemble_sums_to_one(markov, mixture):
    models = [markov.Markov(V, seed=seed) for seed in (6, 7, 8)]
    ensemble = Ensemble(models, mixture)
    state = ensemble.encode(source_batch(SOURCES))
    log_probs, _, _ = ensemble.advance(torch.full((4, 1), 2), state)
    assert (log_probs.exp().sum(-1) - 1).abs().max() < 1e-9


@pytest.mark.parametrize("places", [1, 2, 4, 7])
def test_ties_go_to_the_lower_id_then_to_the_lower_beam(markov, places):
    model = markov.Markov(40, seed=9, levels=1)
    sources = [[4 + i, 3] for i in range(12)]
    results = decode(model, sources, beam(6, places, Sum()), n_best=places)
    for source, found in zip(sources, results, strict=True):
        ended = markov.plain_beam(lambda ids, s=source: model.next(s, ids), places, 6)
        scored = [(total, total, ids) for ids, total in ended]
        same(found, sorted(scored, key=lambda one: -one[0]))


@pytest.mark.parametrize("levels", [None, 1])
def test_a_large_vocabulary_of_which_few_blocks_are_looked_into_obeys_the_same_law(markov, levels):
    model, places, limit = markov.Markov(700, seed=12, levels=levels), 3, 4
    sources = [[4 + i, 3] for i in range(3)]
    results = decode(model, sources, beam(limit, places, Sum()), n_best=places)
    for source, found in zip(sources, results, strict=True):
        ended = markov.plain_beam(lambda ids, s=source: model.next(s, ids), places, limit)
        scored = [(total, total, ids) for ids, total in ended]
        same(found, sorted(scored, key=lambda one: -one[0]))


@pytest.mark.parametrize("vocabulary", [40, 1000])  # sorted in full at once, or for its ties
def test_where_everything_ties_the_lowest_ids_are_taken(vocabulary):
    """All ids equally probable: by hand, EOS (3) and 4 first; then EOS of beam 0 alone."""
    model = Flat(vocabulary)
    found = decode(model, [[4, 3]], beam(3, 2, Sum()), n_best=2)[0]
    assert [one.ids for one in found] == [(), (4,)]
    assert decode(model, [[4, 3]], Greedy())[0][0].ids == ()


class Flat:
    """Every id is as probable as every other."""

    def __init__(self, vocabulary):
        self.vocabulary = vocabulary

    def encode(self, batch, *, attention=False, steady=False):
        return self

    def select(self, sources, beams):
        return self

    def advance(self, ids, state):
        shape = (*ids.shape, self.vocabulary)
        return torch.full(shape, -math.log(self.vocabulary), dtype=torch.float64), None, state


def test_no_target_is_longer_than_its_limit_and_eos_is_forced_there(markov):
    model = markov.Markov(V, seed=10)
    model.table[:, :, 3] -= 30  # never EOS by itself
    search = Beam(beam_size=2, max_length_ratio=1.5, max_length_extra=1)
    lengths = [found[0].length for found in decode(model, SOURCES, search)]
    assert lengths == [math.floor(1.5 * len(source)) + 1 for source in SOURCES]


def test_finished_sources_leave_and_places_are_given_up(markov):
    model = markov.Markov(V, seed=11)
    sources = [[4 + i, 3] for i in range(30)]
    decode(model, sources, beam(30, 4), n_best=4)
    assert model.work < 0.5 * model.steps * len(sources) * 4
