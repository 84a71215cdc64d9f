"""The law of score for models that copy, alone and in an ensemble: what search finds is worth what
training says it is."""

import pytest
import torch

from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import Sum

COPYING = ("gru, copying", "transformer, copying, ctc")
SOURCES = [[4, 5, 3], [6, 3], [5, 5, 6, 4, 10, 9, 3], [4, 3], [7, 8, 8, 3], [3]]
PREFIXES = [[5], [], [1, 8, 8], [4, 4], [6], [10, 9]]


def copying(tiny, name, seed=1):
    """A model with opinions: its weights are larger than at the start of a training."""
    model = tiny.model_of(name, seed=seed)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model


def forced(tiny, model, source, ids):
    """The sum of log-probabilities of a target, as its loss says it."""
    batch = tiny.batch([(source, list(ids))])
    return -model.losses(batch, None)["cross_entropy"].item()


@pytest.mark.parametrize("name", COPYING)
@pytest.mark.parametrize("prefixes", [None, PREFIXES])
def test_the_score_of_a_found_hypothesis_is_minus_its_loss(tiny, name, prefixes):
    model = copying(tiny, name)
    search = Beam(beam_size=4, normalisation=Sum())
    for source, found in zip(
        SOURCES, decode(model, SOURCES, search, n_best=4, prefixes=prefixes), strict=True
    ):
        assert len({one.ids for one in found}) == 4
        for one in found:
            assert one.log_probability == pytest.approx(
                forced(tiny, model, source, one.ids), abs=1e-9
            )


@pytest.mark.parametrize("name", COPYING)
def test_company_changes_nothing_and_a_beam_of_one_is_greedy(tiny, name):
    model = copying(tiny, name)
    beams = decode(model, SOURCES, Beam(beam_size=1, normalisation=Sum()))
    assert beams == decode(model, SOURCES, Greedy())
    for source, together in zip(SOURCES, beams, strict=True):
        (alone,) = decode(model, [source], Greedy())
        assert alone[0].ids == together[0].ids
        assert alone[0].score == pytest.approx(together[0].score, abs=1e-9)


@pytest.mark.parametrize("name", COPYING)
def test_the_search_is_enumeration_where_everything_has_a_place(markov, tiny, name):
    model, source, limit = copying(tiny, name), [4, 9, 3], 2
    targets = list(markov.every_target(tiny.VOCABULARY, limit))
    expected = sorted((forced(tiny, model, source, ids[:-1]), ids) for ids in targets)[::-1]
    search = Beam(
        beam_size=len(targets), normalisation=Sum(), max_length_ratio=0, max_length_extra=limit
    )
    (found,) = decode(model, [source], search, n_best=len(targets))
    assert [(*one.ids, 3) for one in found] == [tuple(ids) for _, ids in expected]


def test_an_ensemble_of_copying_models_mixes_their_probabilities(tiny):
    models = [copying(tiny, name, seed) for seed, name in enumerate(COPYING)]
    results = decode(Ensemble(models), SOURCES, Beam(beam_size=3, coverage_penalty=0.3), n_best=2)
    for source, found in zip(SOURCES, results, strict=True):
        for one in found:
            batch = tiny.batch([(source, list(one.ids))])
            each = [tiny.log_probs(model, batch)[0].exp() for model in models]
            mixed = (each[0] + each[1]) / 2
            total = mixed.log().gather(1, batch.target.values[:, None]).sum().item()
            assert one.log_probability == pytest.approx(total, abs=1e-9)
