"""The laws of search and score where not everything may be said, and for searches that draw."""

import math
import random

import pytest

from pipeline.decoding.automata import trie
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.diverse import DiverseBeam
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Marian, Mean, Sum, WordReward
from pipeline.decoding.sampling import Sampling

V, LIMIT = 7, 4
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 3], [4, 3]]
OUTPUTS = [(4,), (4, 5, 6), (4, 5), (6, 6), (5, 4, 4, 4, 4, 4), (5, 6, 4)]
CONSTRAINTS = {
    "none": {},
    "at least 3": {"least": 3},
    "no id twice": {"ngram": 1},
    "no pair twice": {"ngram": 2},
    "a list": {"outputs": OUTPUTS},
    "a list, at least 3": {"outputs": OUTPUTS, "least": 3},
    "a list, no id twice": {"outputs": OUTPUTS, "ngram": 1},
    "all": {"outputs": OUTPUTS, "ngram": 2, "least": 2, "prefix": (5,)},
}
NORMALISATIONS = {
    "sum": (Sum(), lambda s, n: s),
    "mean": (Mean(), lambda s, n: s / n),
    "gnmt": (GNMT(alpha=0.8), lambda s, n: s / ((5 + n) / 6) ** 0.8),
    "marian": (Marian(alpha=0.5, word_penalty=0.9), lambda s, n: (s - 0.9 * n) / n**0.5),
    "word reward": (
        WordReward(reward=1.1, eos_counts=False),
        lambda s, n: s + 1.1 * max(1, n - 1),
    ),
}
EVERY = pytest.mark.parametrize("name", CONSTRAINTS)


def settings(rules, limit=LIMIT):
    """The fields of a search with these rules."""
    return {
        "max_length_ratio": 0,
        "max_length_extra": limit,
        "min_length_extra": rules.get("least", 0),
        "no_repeat_ngram": rules.get("ngram"),
    }


def found_under(rules, model, sources, search, **more):
    """What a search finds where only that is allowed."""
    outputs, prefix = rules.get("outputs"), rules.get("prefix")
    return decode(
        model,
        sources,
        search,
        allowed=None if outputs is None else trie(outputs, model.vocabulary),
        prefixes=None if prefix is None else [prefix] * len(sources),
        **more,
    )


def may(markov, rules, vocabulary=V, limit=LIMIT):
    return lambda ids: markov.may_say(ids, vocabulary, limit, **rules)


def same(found, expected):
    """Whole n-bests: ids, and scores and sums to 1e-9."""
    assert [(*one.ids, 3) for one in found] == [ids for _, _, ids in expected]
    for one, (score, total, ids) in zip(found, expected, strict=True):
        assert math.isclose(one.score, score, abs_tol=1e-9)
        assert math.isclose(one.log_probability, total, abs_tol=1e-9)
        assert one.length == len(ids)


def enumerated(markov, following, rules, formula):
    """Every allowed target with its score, best first."""
    scored = []
    for ids in markov.every_allowed(may(markov, rules)):
        total = sum(following(ids[:t])[id] for t, id in enumerate(ids))
        scored.append((formula(total, len(ids)), total, ids))
    return sorted(scored, reverse=True)


@EVERY
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_beam_with_places_for_everything_is_enumeration(markov, name, normalisation):
    rules, (by, formula) = CONSTRAINTS[name], NORMALISATIONS[normalisation]
    model = markov.Markov(V, seed=1)
    following = lambda ids, s: model.next(s, ids)  # noqa: E731
    for n_best in (1, 60):
        search = Beam(beam_size=60, normalisation=by, **settings(rules))
        results = found_under(rules, model, SOURCES, search, n_best=n_best)
        for source, found in zip(SOURCES, results, strict=True):
            at_source = lambda ids, s=source: following(ids, s)  # noqa: E731
            same(found, enumerated(markov, at_source, rules, formula)[:n_best])


@EVERY
@pytest.mark.parametrize("normalisation", NORMALISATIONS)
def test_beam_on_an_ensemble_is_enumeration_too(markov, name, normalisation):
    rules, (by, formula) = CONSTRAINTS[name], NORMALISATIONS[normalisation]
    models = [markov.Markov(V, seed=4), markov.Markov(V, seed=5)]

    def combined(source, ids):
        rows = [model.next(source, ids) for model in models]
        return [math.log((math.exp(a) + math.exp(b)) / 2) for a, b in zip(*rows, strict=True)]

    search = Beam(beam_size=60, normalisation=by, **settings(rules))
    results = found_under(rules, Ensemble(models), SOURCES, search, n_best=60)
    for source, found in zip(SOURCES, results, strict=True):
        following = lambda ids, s=source: combined(s, ids)  # noqa: E731
        same(found, enumerated(markov, following, rules, formula))


@EVERY
@pytest.mark.parametrize("places", [1, 2, 4])
def test_search_is_plain_beam_search_among_what_may_be_said(markov, name, places):
    rules, limit = CONSTRAINTS[name], 9
    model = markov.Markov(V, seed=2, sharpness=1.5)
    sources = [[4 + i, 3] for i in range(12)]
    search = Beam(beam_size=places, **settings(rules, limit))
    results = found_under(rules, model, sources, search, n_best=places)
    for source, found in zip(sources, results, strict=True):
        following = lambda ids, s=source: model.next(s, ids)  # noqa: E731
        ended = markov.plain_beam(following, places, limit, may=may(markov, rules, limit=limit))
        scored = [(total / len(ids), total, ids) for ids, total in ended]
        same(found, sorted(scored, key=lambda one: -one[0])[:places])


@EVERY
def test_beam_of_one_is_greedy(markov, name):
    rules, model = CONSTRAINTS[name], markov.Markov(V, seed=3)
    sources = [[4 + i, 5, 3] for i in range(40)]
    beams = found_under(
        rules, model, sources, Beam(beam_size=1, normalisation=Sum(), **settings(rules, 8))
    )
    assert beams == found_under(rules, model, sources, Greedy(**settings(rules, 8)))


@EVERY
@pytest.mark.parametrize("search", [DiverseBeam(), Sampling(samples=5, temperature=2.0)])
def test_a_score_is_the_models_own_whatever_was_struck_out(markov, name, search):
    rules, model = CONSTRAINTS[name], markov.Markov(V, seed=6)
    model.table[:, :, :3] += 5  # PAD, UNKNOWN and BOS would win, were they allowed
    search = search.model_copy(update=settings(rules, 6))
    results = found_under(rules, model, SOURCES, search, n_best=5)
    every = set(markov.every_allowed(may(markov, rules, limit=6)))
    for source, found in zip(SOURCES, results, strict=True):
        assert len({one.ids for one in found}) == len(found) > 0
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            ids = (*one.ids, 3)
            assert ids in every
            total = markov.forced_sum(model, source, ids)
            assert math.isclose(one.log_probability, total, abs_tol=1e-9)


@pytest.mark.parametrize("constraint", [{}, CONSTRAINTS["no pair twice"], CONSTRAINTS["a list"]])
@pytest.mark.parametrize(("places", "groups", "strength"), [(4, 2, 0.7), (6, 3, 3.0), (3, 3, 0.2)])
def test_diverse_beam_is_the_plain_one(markov, constraint, places, groups, strength):
    model, limit = markov.Markov(V, seed=7), 7
    sources = [[4 + i, 3] for i in range(12)]
    search = DiverseBeam(
        beam_size=places, groups=groups, strength=strength, **settings(constraint, limit)
    )
    results = found_under(constraint, model, sources, search, n_best=places)
    for source, found in zip(sources, results, strict=True):
        following = lambda ids, s=source: model.next(s, ids)  # noqa: E731
        ended = markov.plain_diverse_beam(
            following, places, groups, strength, may(markov, constraint, limit=limit)
        )
        scored = {(total / len(ids), total, ids) for ids, total in ended}
        same(found, sorted(scored, key=lambda one: -one[0]))


def test_one_group_is_beam_search_and_more_find_more(markov):
    model = markov.Markov(9, seed=8)
    sources = [[4 + i, 3] for i in range(20)]
    one = decode(model, sources, DiverseBeam(beam_size=4, groups=1), n_best=4)
    assert one == decode(model, sources, Beam(beam_size=4), n_best=4)
    firsts = lambda results: sum(len({f.ids[:1] for f in found}) for found in results)  # noqa: E731
    many = decode(model, sources, DiverseBeam(beam_size=4, groups=4, strength=5.0), n_best=4)
    assert firsts(many) == 4 * len(sources) > firsts(one)


def test_a_list_that_is_longer_than_the_limit_moves_it(markov):
    model = markov.Markov(V, seed=9)
    search = Beam(beam_size=2, max_length_ratio=0, max_length_extra=2)
    allowed = trie([(4, 5, 6, 4), (5, 5, 5, 5, 5)], V)
    (found,) = decode(model, [[4, 3]], search, n_best=2, allowed=allowed)
    assert [one.ids for one in found] == [(4, 5, 6, 4)]
    assert found[0].length == 5


def test_what_is_allowed_is_found_in_any_number_of_places(markov):
    """No place is lost to a hypothesis that could not end in time."""
    random.seed(1)
    model = markov.Markov(12, seed=10)
    outputs = [tuple(random.choices(range(4, 12), k=length)) for length in (1, 4, 7, 7, 9) * 8]
    for source in SOURCES:
        search = Beam(beam_size=1, **settings({}, 6))
        (found,) = found_under({"outputs": outputs}, model, [source], search)
        assert found[0].ids in outputs
