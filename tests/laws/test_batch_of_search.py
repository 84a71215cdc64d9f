"""The law of batches for search: who else is decoded changes nothing, even if others end first."""

import random

import pytest

from pipeline.decoding.automata import trie
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import decode
from pipeline.decoding.diverse import DiverseBeam
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.normalisation import GNMT, Sum, WordReward
from pipeline.decoding.sampling import Sampling

V = 12
SOURCES = [[4 + i % 8] * (i % 7) + [5 + i % 3, 3] for i in range(29)]
PREFIXES = [[4 + i % 8] * (i % 4) for i in range(29)]
SEARCHES = {
    "greedy": (Greedy(), 1),
    "beam, mean": (Beam(beam_size=4), 4),
    "beam, sum, best only": (Beam(beam_size=4, normalisation=Sum()), 1),
    "beam, reward": (Beam(beam_size=3, normalisation=WordReward(reward=0.7)), 2),
    "beam, coverage": (Beam(beam_size=3, normalisation=GNMT(), coverage_penalty=0.4), 3),
    "beam, short limits": (Beam(beam_size=5, max_length_ratio=0.5, max_length_extra=1), 5),
    "beam, long, no repeats": (Beam(min_length_ratio=1, no_repeat_ngram=2), 5),
    "diverse beam": (DiverseBeam(beam_size=6, groups=3), 6),
    "sampling": (Sampling(), 1),
    "sampling, several": (Sampling(samples=4, top_k=5, top_p=0.8, temperature=1.5), 4),
}


def alike(one, other):
    """Equal ids; scores to 1e-9 (sums of attention go over rows of other widths)."""
    assert [found.ids for found in one] == [found.ids for found in other]
    assert [found.score for found in one] == pytest.approx([f.score for f in other], abs=1e-9)
    assert [found.log_probability for found in one] == pytest.approx(
        [found.log_probability for found in other], abs=1e-9
    )


@pytest.mark.parametrize("name", SEARCHES)
@pytest.mark.parametrize("prefixes", [None, PREFIXES])
def test_alone_in_any_order_or_in_company_a_source_gets_the_same_n_best(markov, name, prefixes):
    search, n_best = SEARCHES[name]
    model = markov.Markov(V, seed=1)
    together = decode(
        model, SOURCES, search, n_best=n_best, prefixes=prefixes, batch_sentences=len(SOURCES)
    )
    for batch_sentences in (1, 5):
        order = list(range(len(SOURCES)))
        random.Random(batch_sentences).shuffle(order)
        again = decode(
            model,
            [SOURCES[row] for row in order],
            search,
            n_best=n_best,
            prefixes=None if prefixes is None else [prefixes[row] for row in order],
            batch_sentences=batch_sentences,
        )
        for row, found in zip(order, again, strict=True):
            alike(found, together[row])


@pytest.mark.parametrize("name", SEARCHES)
def test_so_it_does_where_only_a_list_is_allowed(markov, name):
    search, n_best = SEARCHES[name]
    model = markov.Markov(V, seed=1)
    outputs = [[4 + i % 8, *[5 + i % 3] * (i % 5), 4 + i % 6] for i in range(40)]
    asked = {"n_best": n_best, "allowed": trie(outputs, V)}
    together = decode(model, SOURCES, search, batch_sentences=len(SOURCES), **asked)
    for row, found in enumerate(decode(model, SOURCES, search, batch_sentences=1, **asked)):
        alike(found, together[row])


def test_a_source_that_ends_at_once_leaves_its_neighbours_alone(markov):
    """The smallest case: one source ends at the first step, the other goes on."""
    model = markov.Markov(V, seed=2)
    model.table[7, :, 3] += 50  # a source whose ids sum to 7 ends at once
    search = Beam(beam_size=2, max_length_ratio=0, max_length_extra=6)
    alone = decode(model, [[9, 8, 3]], search, n_best=2)[0]
    together = decode(model, [[4, 3], [9, 8, 3]], search, n_best=2)
    assert together[0][0].ids == ()
    alike(together[1], alone)
