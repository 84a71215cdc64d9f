"""The law of score: a found hypothesis' score is its teacher-forced score, however it was found."""

import math

import pytest
import torch

from pipeline.batches.batch import Batch, Ragged
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Mean, WordReward
from pipeline.decoding.scoring import score_targets

V = 9
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 3], [4, 3], [7, 8, 8, 3]]
PREFIXES = [[5], [], [1, 8, 8], [4, 4], [6]]


def with_targets(sources, targets):
    """A batch of sources (with EOS) and bare targets, one of each."""
    flat = lambda lists: torch.tensor([id for one in lists for id in one])  # noqa: E731
    ragged = lambda lists: Ragged(flat(lists), tuple(map(len, lists)))  # noqa: E731
    prefixes = ragged([[2, *target] for target in targets])
    ends = ragged([[*target, 3] for target in targets])
    return Batch(ragged(sources), prefixes, ends, torch.arange(len(sources)))


def close(value, expected):
    assert math.isclose(value, expected, rel_tol=0, abs_tol=1e-9), (value, expected)


def test_a_score_is_the_normalised_sum_of_the_models_own_log_probabilities(markov):
    model = markov.Markov(V, seed=1)
    for source, found in zip(SOURCES, decode(model, SOURCES, Beam(), n_best=5), strict=True):
        for one in found:
            total = markov.forced_sum(model, source, (*one.ids, 3))
            close(one.log_probability, total)
            close(one.score, total / one.length)


def test_a_prefix_is_obeyed_and_scored_like_everything_else(markov):
    model = markov.Markov(V, seed=2)
    search = Beam(beam_size=3, normalisation=GNMT())
    results = decode(model, SOURCES, search, n_best=3, prefixes=PREFIXES)
    for source, prefix, found in zip(SOURCES, PREFIXES, results, strict=True):
        for one in found:
            assert list(one.ids[: len(prefix)]) == prefix
            total = markov.forced_sum(model, source, (*one.ids, 3))
            close(one.log_probability, total)
            close(one.score, total / ((5 + one.length) / 6) ** 0.6)


def test_a_prefix_longer_than_the_limit_is_followed_by_eos(markov):
    model = markov.Markov(V, seed=2)
    search = Beam(max_length_ratio=0, max_length_extra=2)
    prefix = [5, 6, 7, 8]
    (found,) = decode(model, [[4, 3]], search, n_best=2, prefixes=[prefix])
    assert [one.ids for one in found] == [(5, 6, 7, 8)]
    close(found[0].log_probability, markov.forced_sum(model, [4, 3], (*prefix, 3)))


@pytest.mark.parametrize("prefixes", [None, PREFIXES])
def test_a_coverage_penalty_is_that_of_the_forced_attention(markov, prefixes):
    model = markov.Markov(V, seed=3)
    search = Beam(beam_size=4, coverage_penalty=0.3, normalisation=WordReward(reward=0.5))
    results = decode(model, SOURCES, search, n_best=4, prefixes=prefixes)
    for source, found in zip(SOURCES, results, strict=True):
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            ids = (*one.ids, 3)
            total = markov.forced_sum(model, source, ids)
            close(one.log_probability, total)
            penalty = 0.3 * markov.coverage(model, source, ids)
            close(one.score, total + 0.5 * one.length + penalty)


def test_a_coverage_penalty_does_not_stop_a_search_too_early(markov):
    """Against plain beam search that ends only when nothing lives."""
    model = markov.Markov(V, seed=4)
    sources = [[4 + i % 5, 4 + i, 3] for i in range(12)]
    search = Beam(beam_size=3, coverage_penalty=2.0, max_length_ratio=0, max_length_extra=8)
    for source, found in zip(sources, decode(model, sources, search), strict=True):
        ended = markov.plain_beam(lambda ids, s=source: model.next(s, ids), 3, 8)
        score = lambda ids, total, s=source: (  # noqa: E731
            total / len(ids) + 2.0 * markov.coverage(model, s, ids)
        )
        best, _ = max(ended, key=lambda one: score(*one))
        assert (*found[0].ids, 3) == best


@pytest.mark.parametrize("mixture", ["arithmetic", "geometric"])
def test_the_score_of_an_ensemble_is_that_of_its_combined_distribution(markov, mixture):
    models = [markov.Markov(V, seed=5), markov.Markov(V, seed=6)]
    ensemble = Ensemble(models, mixture)
    found = decode(ensemble, SOURCES, Beam(beam_size=3, coverage_penalty=0.2), n_best=3)
    for rank in range(3):
        batch = with_targets(SOURCES, [one[rank].ids for one in found])
        forced = score_targets(ensemble, batch, normalisation=Mean(), coverage_penalty=0.2)
        for one, again in zip(found, forced, strict=True):
            assert one[rank].ids == again.ids
            assert one[rank].length == again.length
            close(one[rank].log_probability, again.log_probability)
            close(one[rank].score, again.score)
    if mixture == "arithmetic":
        for source, one in zip(SOURCES, found, strict=True):
            ids = (*one[0].ids, 3)
            rows = [
                [model.next(source, ids[:t])[id] for t, id in enumerate(ids)] for model in models
            ]
            total = sum(
                math.log((math.exp(a) + math.exp(b)) / 2) for a, b in zip(*rows, strict=True)
            )
            close(one[0].log_probability, total)


def test_given_targets_are_scored_like_found_ones(markov):
    model = markov.Markov(V, seed=7)
    targets = [[4, 5], [], [8, 8, 8, 8], [6], [5, 7, 4]]
    scored = score_targets(
        model, with_targets(SOURCES, targets), normalisation=Mean(), coverage_penalty=0.5
    )
    for source, target, one in zip(SOURCES, targets, scored, strict=True):
        ids = (*target, 3)
        assert one.ids == tuple(target)
        assert one.length == len(ids)
        close(one.log_probability, markov.forced_sum(model, source, ids))
        penalty = 0.5 * markov.coverage(model, source, ids)
        close(one.score, one.log_probability / len(ids) + penalty)


def test_greedy_scores_are_log_probabilities(markov):
    model = markov.Markov(V, seed=8)
    results = decode(model, SOURCES, Greedy(), prefixes=PREFIXES)
    for source, (one,) in zip(SOURCES, results, strict=True):
        close(one.log_probability, markov.forced_sum(model, source, (*one.ids, 3)))
        assert one.score == one.log_probability


def test_nothing_banned_is_found_and_nothing_is_renormalised_for_it(markov):
    model = markov.Markov(V, seed=9)
    model.table[:, :, :3] += 5  # PAD, UNKNOWN and BOS would win, were they allowed
    for source, found in zip(SOURCES, decode(model, SOURCES, Beam(), n_best=5), strict=True):
        for one in found:
            assert min(one.ids, default=3) >= 3
            close(one.log_probability, markov.forced_sum(model, source, (*one.ids, 3)))


def test_an_n_best_is_sorted_and_distinct(markov):
    model = markov.Markov(V, seed=12)
    for found in decode(model, SOURCES, Beam(beam_size=6), n_best=6):
        assert len({one.ids for one in found}) == 6
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
