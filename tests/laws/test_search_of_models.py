"""The laws of score, search and batch once more, for models instead of tables."""

import math

import pytest
import torch

from pipeline.batches.batch import Batch, Ragged
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Mean, Sum
from pipeline.decoding.scoring import score_targets

V = 11
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 10, 9, 3], [4, 3], [7, 8, 8, 3], [3]]
PREFIXES = [[5], [], [1, 8, 8], [4, 4], [6], [10, 9]]


@pytest.fixture
def build(tiny, combination):
    """Build the combination as a model with opinions: larger weights than before any training."""

    def build(*, precision="fp64", seed=1):
        return opinionated(tiny, combination, precision=precision, seed=seed)

    return build


def opinionated(tiny, name, **how):
    parts = tiny.MODELS[name]["generator"]
    unsmoothed = {key: 0.0 if key == "label_smoothing" else parts[key] for key in parts}
    model = tiny.model_of(name, vocabulary=V, generator=unsmoothed, **how)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model


def batch_of(source, ids):
    """One source and its target, EOS included."""
    flat = lambda one: Ragged(torch.tensor(one), (len(one),))  # noqa: E731
    return Batch(flat(source), flat([2, *ids[:-1]]), flat(ids), torch.tensor([0]))


@pytest.fixture(scope="module")
def taught(tiny):
    """The teacher-forced log-probabilities [T, V] of a target, and the attention [T, S]."""

    def of(model, source, ids):
        log_probs, attention = tiny.log_probs(model, batch_of(source, ids))
        return log_probs.double(), attention

    return of


def forced_sum(model, source, ids):
    batch = batch_of(source, ids)
    return -model.losses(batch, None)["cross_entropy"].item()


def close(value, expected):
    assert math.isclose(value, expected, rel_tol=0, abs_tol=1e-9), (value, expected)


@pytest.mark.parametrize("prefixes", [None, PREFIXES])
def test_the_score_of_a_found_hypothesis_is_minus_the_loss_of_its_text(build, prefixes):
    model = build()
    results = decode(model, SOURCES, Beam(beam_size=4), n_best=4, prefixes=prefixes)
    for row, (source, found) in enumerate(zip(SOURCES, results, strict=True)):
        assert len({one.ids for one in found}) == 4
        assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
        for one in found:
            if prefixes is not None:
                assert list(one.ids[: len(prefixes[row])]) == prefixes[row]
            total = forced_sum(model, source, [*one.ids, 3])
            close(one.log_probability, total)
            close(one.score, total / one.length)


@pytest.mark.attends
def test_a_coverage_penalty_is_that_of_the_forced_attention(build, taught):
    model = build()
    search = Beam(beam_size=3, coverage_penalty=0.7, normalisation=GNMT())
    for source, found in zip(SOURCES, decode(model, SOURCES, search, n_best=3), strict=True):
        for one in found:
            log_probs, attention = taught(model, source, [*one.ids, 3])
            looked = attention.reshape(-1, len(source)).sum(0).double().clamp(1e-9, 1.0)
            total = log_probs.gather(1, torch.tensor([[*one.ids, 3]]).T).sum().item()
            close(one.log_probability, total)
            penalty = 0.7 * looked.log().sum().item()
            close(one.score, total / ((5 + one.length) / 6) ** 0.6 + penalty)


def test_the_score_of_an_ensemble_is_forced_under_the_mean_of_probabilities(tiny, taught):
    models = [opinionated(tiny, "transformer", seed=1), opinionated(tiny, "gru", seed=2)]
    results = decode(Ensemble(models), SOURCES, Beam(beam_size=3), n_best=3)
    for source, found in zip(SOURCES, results, strict=True):
        for one in found:
            ids = [*one.ids, 3]
            mixed = sum(taught(model, source, ids)[0].exp() for model in models) / 2
            assert (mixed.sum(-1) - 1).abs().max() < 1e-9
            close(one.log_probability, mixed.log().gather(1, torch.tensor([ids]).T).sum().item())


def test_beam_with_places_for_everything_is_enumeration(markov, build):
    model, source, limit = build(), [4, 9, 3], 3
    targets = list(markov.every_target(V, limit))
    expected = sorted((forced_sum(model, source, ids) / len(ids), ids) for ids in targets)[::-1]
    search = Beam(beam_size=len(targets), max_length_ratio=0, max_length_extra=limit)
    (found,) = decode(model, [source], search, n_best=len(targets))
    assert [(*one.ids, 3) for one in found] == [ids for _, ids in expected]
    for one, (score, _) in zip(found, expected, strict=True):
        close(one.score, score)


@pytest.mark.parametrize("places", [1, 2, 4])
def test_search_is_plain_beam_search(markov, build, taught, places):
    model = build(seed=5)
    search = Beam(beam_size=places, max_length_ratio=0, max_length_extra=7)
    for source, found in zip(
        SOURCES[:4], decode(model, SOURCES[:4], search, n_best=places), strict=True
    ):
        following = lambda ids, s=source: taught(model, s, [*ids, 3])[0][-1].tolist()  # noqa: E731
        ended = markov.plain_beam(following, places, 7)
        expected = sorted(ended, key=lambda one: -one[1] / len(one[0]))
        assert [(*one.ids, 3) for one in found] == [ids for ids, _ in expected]


def test_beam_of_one_is_greedy(build):
    model = build()
    beams = decode(model, SOURCES, Beam(beam_size=1, normalisation=Sum()))
    assert beams == decode(model, SOURCES, Greedy())


ORDER = [4, 2, 0, 5, 1, 3]


def permuted(model, search, batch_sentences):
    """What is found in other company, by the row of SOURCES."""
    sources = [SOURCES[row] for row in ORDER]
    found = decode(model, sources, search, n_best=3, batch_sentences=batch_sentences)
    return dict(zip(ORDER, found, strict=True))


@pytest.mark.attends
def test_company_does_not_change_what_a_source_gets(build):
    model, search = build(), Beam(beam_size=3, coverage_penalty=0.2)
    together = decode(model, SOURCES, search, n_best=3)
    for batch_sentences in (1, 2):
        for row, found in permuted(model, search, batch_sentences).items():
            assert [one.ids for one in found] == [one.ids for one in together[row]]
            for one, other in zip(found, together[row], strict=True):
                close(one.score, other.score)


@torch.no_grad()
def rounding(tiny, model, results):
    """What the precision does to a log-probability of the forced pass over what was found.

    Two ways of computing one are no further apart than twice that.
    """
    found = zip(SOURCES, results, strict=True)
    batch = tiny.batch([(source, one.ids) for source, n_best in found for one in n_best])
    ours, true = (tiny.log_probs(one, batch)[0] for one in (model, tiny.exact(model)))
    return tiny.largest(ours, true)


@pytest.mark.attends
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_company_changes_scores_by_no_more_than_rounding_does(tiny, build, precision):
    model, search = build(precision=precision), Beam(beam_size=3, coverage_penalty=0.2)
    together = decode(model, SOURCES, search, n_best=3)
    noise = rounding(tiny, model, together)
    assert noise > 0
    for batch_sentences in (1, 2):
        for row, found in permuted(model, search, batch_sentences).items():
            assert abs(found[0].score - together[row][0].score) <= 2 * noise


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_scores_in_productions_precisions_are_those_of_the_forced_pass(tiny, build, precision):
    model = build(precision=precision)
    results = decode(model, SOURCES, Beam(), n_best=2)
    noise = rounding(tiny, model, results)
    assert noise > 0
    for source, found in zip(SOURCES, results, strict=True):
        for one in found:
            total = forced_sum(model, source, [*one.ids, 3])
            assert abs(one.log_probability - total) <= 2 * noise * one.length


def test_given_targets_get_minus_their_loss(build):
    model = build()
    targets = [[4, 5], [], [8, 8, 8, 8], [6], [5, 7, 4], [10]]
    flat = lambda lists: torch.tensor([id for one in lists for id in one])  # noqa: E731
    ragged = lambda lists: Ragged(flat(lists), tuple(map(len, lists)))  # noqa: E731
    ends = [[*target, 3] for target in targets]
    batch = Batch(
        ragged(SOURCES), ragged([[2, *t] for t in targets]), ragged(ends), torch.arange(6)
    )
    scored = score_targets(model, batch, normalisation=Mean())
    for source, ids, one in zip(SOURCES, ends, scored, strict=True):
        close(one.log_probability, forced_sum(model, source, ids))
        close(one.score, one.log_probability / len(ids))
