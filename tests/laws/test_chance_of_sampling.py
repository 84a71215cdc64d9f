"""The law of chance for sampling: the stated distribution, and of nothing but the sample's key."""

import math
from collections import Counter

import pytest
import torch

from pipeline.decoding.decode import decode, source_batch
from pipeline.decoding.sampling import Sampling, fingerprints, passed, uniform
from pipeline.models.dropout import mix

V, COUNT = 9, 6000


def first_ids(markov, search, *, length=2):
    """How often each first id was drawn for a source, and the model's probabilities of it."""
    model = markov.Markov(V, seed=3, sharpness=0.5)
    model.table = model.table.clone()
    sources = [[4 + number, 5 + number * number, 3] for number in range(COUNT // 4)]
    model.table[:] = model.table[17, 3]  # every source and step alike
    search = search.model_copy(update={"max_length_ratio": 0, "max_length_extra": length})
    batch = source_batch(sources)
    drawn = Counter()
    firsts = search.constraints(model, batch, None, None)
    numbers = uniform(search._keys(batch.source))
    log_probs = model.table[0, 0].expand(len(sources), search.samples, V)
    struck = firsts.strike(log_probs, torch.full((*numbers.shape, 1), 2), 0, None)
    drawn.update(search._draw(struck, numbers).flatten().tolist())
    return drawn, shares([0.0] * 3 + log_probs[0, 0, 3:].exp().tolist())  # nothing banned


def close(drawn, expected):
    """Within five standard deviations of a binomial."""
    for id in range(V):
        p = expected[id]
        spread = math.sqrt(COUNT * p * (1 - p))
        assert abs(drawn[id] - COUNT * p) <= 5 * spread + 1e-9, (id, drawn[id], COUNT * p)


def shares(weights):
    return [weight / sum(weights) for weight in weights]


def test_ids_are_drawn_with_the_models_probabilities(markov):
    drawn, probabilities = first_ids(markov, Sampling(samples=4))
    close(drawn, shares(probabilities))


@pytest.mark.parametrize("temperature", [0.5, 1.7])
def test_a_temperature_is_an_exponent_of_probabilities(markov, temperature):
    drawn, probabilities = first_ids(markov, Sampling(samples=4, temperature=temperature))
    close(drawn, shares([p ** (1 / temperature) for p in probabilities]))


def test_top_k_draws_from_the_most_probable_ids(markov):
    drawn, probabilities = first_ids(markov, Sampling(samples=4, top_k=3))
    least = sorted(probabilities)[-3]
    close(drawn, shares([p if p >= least else 0.0 for p in probabilities]))


@pytest.mark.parametrize("top_p", [0.2, 0.6, 1.0])
def test_a_nucleus_is_the_fewest_ids_that_hold_the_share(markov, top_p):
    drawn, probabilities = first_ids(markov, Sampling(samples=4, top_p=top_p))
    kept, held = set(), 0.0
    for id in sorted(range(V), key=lambda id: -probabilities[id]):
        if held < top_p:
            kept.add(id)
        held += probabilities[id]
    close(drawn, shares([p if id in kept else 0.0 for id, p in enumerate(probabilities)]))


def test_a_cut_comes_after_the_temperature_and_the_nucleus_after_the_top(markov):
    search = Sampling(samples=4, temperature=3.0, top_k=4, top_p=0.7)
    drawn, probabilities = first_ids(markov, search)
    tempered = [p ** (1 / 3) for p in probabilities]
    order = sorted(range(V), key=lambda id: -tempered[id])[:4]
    whole, held, kept = sum(tempered[id] for id in order), 0.0, set()
    for id in order:
        if held < 0.7 * whole:
            kept.add(id)
        held += tempered[id]
    close(drawn, shares([p if id in kept else 0.0 for id, p in enumerate(tempered)]))


def test_samples_differ_by_seed_source_and_number_and_by_nothing_else(markov):
    model = markov.Markov(V, seed=1)
    sources = [[4, 5, 3], [5, 4, 3], [4, 5, 3]]
    texts = lambda seed, samples=8: [  # noqa: E731
        [one.ids for one in found]
        for found in decode(model, sources, Sampling(samples=samples, seed=seed), n_best=samples)
    ]
    torch.manual_seed(1)
    first = texts(1)
    torch.manual_seed(2)
    assert texts(1) == first
    assert first[0] == first[2] != first[1]
    assert texts(2) != first
    assert len(first[0]) > 4
    assert set(texts(1, samples=3)[0]) <= set(first[0])


def test_the_number_of_a_key_lies_between_0_and_1(markov):
    numbers = uniform(mix(torch.arange(-50_000, 50_000)))
    assert 0 < numbers.min() < 1e-3
    assert 1 - 1e-3 < numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 5 * math.sqrt(1 / 12 / len(numbers))
    ends = uniform(torch.tensor([0, -1]))
    assert 0 < ends[0] < ends[1] < 1


def test_nothing_of_weight_0_is_drawn():
    weights = torch.tensor([[[0.0, 0.2, 0.0, 0.8, 0.0]]], dtype=torch.float64)
    at = lambda number: passed(weights, torch.tensor([[number]], dtype=torch.float64)).item()  # noqa: E731
    assert [at(0.0), at(0.1999), at(0.2), at(1 - 2**-48)] == [1, 1, 3, 3]


def test_a_fingerprint_is_of_every_id_and_of_its_place():
    one = lambda *sources: fingerprints(source_batch(list(sources)).source).tolist()  # noqa: E731
    alone = [one(source)[0] for source in ([4, 5, 3], [5, 4, 3], [4, 5], [5, 3])]
    assert len(set(alone)) == 4
    assert one([4, 5, 3], [5, 3], [5, 4, 3]) == [alone[0], alone[3], alone[1]]
