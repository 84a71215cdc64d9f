"""The laws of search, score and batch for every combination of parts, and for random ones."""

import math

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.decoding.automata import trie
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.diverse import DiverseBeam
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Marian, Mean, Sum, WordReward
from pipeline.decoding.sampling import Sampling
from pipeline.models.weights import settle

V, LIMIT = 8, 3
SOURCE = [4, 6, 5, 3]
OUTPUTS = [(4,), (4, 5), (7, 7), (6, 5), (5,), (6, 4)]
NORMALISATIONS = [
    (Sum(), lambda s, n: s),
    (Mean(), lambda s, n: s / n),
    (Mean(eos_counts=False), lambda s, n: s / max(1, n - 1)),
    (GNMT(), lambda s, n: s / ((5 + n) / 6) ** 0.6),
    (Marian(alpha=0.5, word_penalty=0.9), lambda s, n: (s - 0.9 * n) / n**0.5),
    (WordReward(reward=1.1), lambda s, n: s + 1.1 * n),
]
SEARCHES = [
    Beam(beam_size=3, max_length_extra=3),
    Beam(beam_size=4, max_length_extra=4, no_repeat_ngram=2, min_length_ratio=0.5),
    DiverseBeam(beam_size=4, groups=2, max_length_extra=3),
    Greedy(max_length_extra=3, no_repeat_ngram=1),
    Sampling(samples=3, max_length_extra=3, top_p=0.9, temperature=1.5),
]


def opinionated(tiny, name, *, precision="fp64", seed=1):
    """A model whose weights are larger than at the start of a training."""
    generator = tiny.MODELS[name]["generator"]
    plain = {key: 0.0 if key == "label_smoothing" else value for key, value in generator.items()}
    model = tiny.model_of(name, precision=precision, seed=seed, vocabulary=V, generator=plain)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.7)
    return model.eval()


def forced_sum(tiny, model, source, ids):
    """Minus the loss of a target (EOS included in `ids`)."""
    batch = tiny.batch([(source, list(ids[:-1]))])
    return -model.losses(batch, None)["cross_entropy"].item()


def same(found, expected):
    assert [(*one.ids, 3) for one in found] == [ids for _, ids in expected]
    for one, (score, _) in zip(found, expected, strict=True):
        assert math.isclose(one.score, score, rel_tol=0, abs_tol=1e-9)


def check_enumeration(model, sums):
    """Under every normalisation, with and without a list of what is allowed."""
    for by, formula in NORMALISATIONS:
        scored = sorted(((formula(total, len(ids)), ids) for ids, total in sums.items()))[::-1]
        search = Beam(
            beam_size=len(sums), normalisation=by, max_length_ratio=0, max_length_extra=LIMIT
        )
        (found,) = decode(model, [SOURCE], search, n_best=len(sums))
        same(found, scored)
        (found,) = decode(model, [SOURCE], search, n_best=len(OUTPUTS), allowed=trie(OUTPUTS, V))
        same(found, [one for one in scored if one[1][:-1] in OUTPUTS])


def test_beam_with_places_for_everything_is_enumeration(markov, tiny, combination):
    model = opinionated(tiny, combination)
    targets = markov.every_target(V, LIMIT)
    check_enumeration(model, {ids: forced_sum(tiny, model, SOURCE, ids) for ids in targets})


def test_beam_on_an_ensemble_of_two_different_models_is_enumeration(markov, tiny):
    models = [opinionated(tiny, tiny.NAMES[0]), opinionated(tiny, tiny.NAMES[1], seed=2)]
    whole = 0.0
    sums = {}
    for ids in markov.every_target(V, LIMIT):
        batch = tiny.batch([(SOURCE, list(ids[:-1]))])
        mixed = sum(tiny.log_probs(model, batch)[0].exp() for model in models) / 2
        sums[ids] = mixed.log().gather(1, torch.tensor([ids]).T).sum().item()
        assert (mixed.sum(-1) - 1).abs().max() < 1e-9
        whole += math.exp(sums[ids])
    assert whole < 1
    check_enumeration(Ensemble(models), sums)


SOURCES = st.lists(st.integers(4, V - 1), max_size=6).map(lambda ids: [*ids, 3])


@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_scores_of_any_search_in_any_batch_are_teacher_forced(tiny, data):
    model = opinionated(
        tiny, data.draw(st.sampled_from(tiny.NAMES)), seed=data.draw(st.integers(0, 99))
    )
    sources = data.draw(st.lists(SOURCES, min_size=1, max_size=5))
    search = data.draw(st.sampled_from(SEARCHES))
    order = data.draw(st.permutations(range(len(sources))))
    together = decode(model, sources, search, n_best=search.most())
    mixed = decode(
        model,
        [sources[row] for row in order],
        search,
        n_best=search.most(),
        batch_sentences=data.draw(st.integers(1, 4)),
        batch_invariant=data.draw(st.booleans()),
    )
    for row, again in zip(order, mixed, strict=True):
        assert [one.ids for one in again] == [one.ids for one in together[row]]
        for one in again:
            total = forced_sum(tiny, model, sources[row], (*one.ids, 3))
            assert math.isclose(one.log_probability, total, rel_tol=0, abs_tol=1e-9)


def widened(part):
    """A part's settings with every width a multiple of 16, as in models of real sizes."""
    widths = {"units": 32, "attention_units": 32, "feedforward": 64}
    deeper = {key: widened(value) for key, value in part.items() if isinstance(value, dict)}
    return {**part, **{key: widths[key] for key in part.keys() & widths.keys()}, **deeper}


@pytest.mark.parametrize("search", [SEARCHES[1], SEARCHES[4]], ids=["beam", "sampling"])
@pytest.mark.parametrize("name", ["transformer", "transformer to gru"])
@pytest.mark.parametrize("settled", [False, True])
def test_an_invariant_batch_changes_no_bit(tiny, name, search, settled):
    parts = {key: widened(part) for key, part in tiny.MODELS[name].items()}
    model = tiny.model_of(name, precision="fp32", width=32, vocabulary=32, **parts)
    if settled:
        settle(model)
    sources = [source for source, _ in tiny.examples(12, longest=5, vocabulary=32)]
    asked = {"n_best": search.most(), "batch_invariant": True}
    together = decode(model, sources, search, **asked)
    assert decode(model, sources, search, batch_sentences=1, **asked) == together
    backwards = decode(model, sources[::-1], search, batch_sentences=5, **asked)
    assert backwards[::-1] == together
