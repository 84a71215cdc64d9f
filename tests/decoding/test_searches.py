"""What holds for every search of the table, and what a user is told."""

import pytest
import torch

from pipeline.decoding import SEARCHES
from pipeline.decoding.automata import trie
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding, decode, length_batches, source_batch
from pipeline.decoding.ensemble import Ensemble
from pipeline.decoding.greedy import Greedy
from pipeline.problems import Problem
from pipeline.settings import parse

SOURCES = [[4, 5, 3], [3], [5, 5, 6, 4, 3]]


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_gives_each_source_its_n_best_in_order(markov, kind):
    search = SEARCHES[kind]()
    model, count = markov.Markov(9, seed=1), min(2, search.most())
    results = decode(model, SOURCES, search, n_best=count)
    assert [len(found) for found in results] == [count] * 3
    assert results == [decode(model, [source], search, n_best=count)[0] for source in SOURCES]


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_of_no_sources_finds_nothing(markov, kind):
    assert decode(markov.Markov(9, seed=1), [], SEARCHES[kind]()) == []


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_obeys_its_limit_and_its_prefix(markov, kind):
    search = SEARCHES[kind](max_length_ratio=1.0, max_length_extra=0)
    model = markov.Markov(9, seed=2)
    model.table[:, :, 3] -= 20
    found = decode(model, SOURCES, search, prefixes=[[8], [], [7, 7]])
    assert [one[0].length for one in found] == [3, 1, 5]
    assert [one[0].ids[:2] for one in found[1:]] == [(), (7, 7)]
    assert found[0][0].ids[0] == 8


@pytest.mark.parametrize("kind", SEARCHES)
def test_weights_that_are_not_finite_are_a_problem(markov, kind):
    model = markov.Markov(9, seed=1)
    model.table[:] = float("nan")
    with pytest.raises(Problem, match="no target of positive probability"):
        decode(model, SOURCES, SEARCHES[kind]())


def test_sections_of_params_become_settings():
    given = {"search": {"kind": "beam", "beam_size": 3, "normalisation": {"kind": "gnmt"}}}
    decoding = parse(Decoding, {**given, "n_best": 2, "precision": "bf16"}, "params.yaml")
    assert decoding.model_dump() == {
        "search": {
            "kind": "beam",
            "max_length_ratio": 2.0,
            "max_length_extra": 10,
            "min_length_ratio": 0.0,
            "min_length_extra": 0,
            "no_repeat_ngram": None,
            "beam_size": 3,
            "normalisation": {"kind": "gnmt", "alpha": 0.6, "eos_counts": True},
            "coverage_penalty": 0.0,
        },
        "allowed": None,
        "n_best": 2,
        "precision": "bf16",
        "batch_invariant": False,
        "alignments": 4,
    }
    assert parse(Decoding, decoding.model_dump(), "a stored model") == decoding
    greedy = parse(Decoding, {"search": {"kind": "greedy"}}, "params.yaml")
    assert greedy == Decoding(search=Greedy(), n_best=1, precision="fp32")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"search": {"kind": "baem"}}, "did you mean 'beam'"),
        ({"search": {"kind": "beam", "normalisation": {"kind": "means"}}}, "did you mean 'mean'"),
        ({"search": {"kind": "beam", "beam_size": 0}}, "greater than 0"),
        ({"search": {"kind": "beam", "beam_size": 2}, "n_best": 3}, "n_best is 3"),
        ({"search": {"kind": "greedy"}, "n_best": 2}, "the search finds 1"),
        ({"precision": "int8"}, "precision"),
        ({"search": {"kind": "sampling", "temperature": 0}}, "greater than 0"),
        ({"search": {"kind": "sampling", "top_p": 1.5}}, "less than or equal to 1"),
        ({"search": {"kind": "sampling", "samples": 3}, "n_best": 4}, "the search finds 3"),
        ({"search": {"kind": "diverse_beam", "beam_size": 5}}, "let beam_size be a multiple"),
        ({"search": {"kind": "greedy", "no_repeat_ngram": 0}}, "greater than 0"),
        ({"search": {"kind": "greedy", "min_length_ratio": 3}}, "shortest length .* lower it"),
        ({"search": {"kind": "greedy", "min_length_extra": 13}}, "shortest length .* lower it"),
        ({"allowed": {"kind": "text"}}, "did you mean 'texts'"),
        ({"allowed": {"kind": "texts", "texts": []}}, "allowed"),
        ({"allowed": {"kind": "grammar", "rules": {"begin": "a"}}}, "the rule 'start': add it"),
        ({"allowed": {"kind": "grammar", "rules": {"start": "(a"}}}, "rule 'start', character 3"),
    ],
)
def test_impossible_settings_are_problems(given, says):
    with pytest.raises(Problem, match=says):
        parse(Decoding, given, "params.yaml")


def test_what_is_allowed_names_where_it_does_not_fit(markov):
    allowed = trie([[4, 5], [6]], 9)
    with pytest.raises(Problem, match=r"prefix of source 1: no allowed output begins") as problem:
        decode(markov.Markov(9, seed=1), SOURCES[:2], Beam(), prefixes=[[4], [5]], allowed=allowed)
    assert problem.value.value == [5]
    with pytest.raises(Problem, match="another vocabulary than the model's"):
        decode(markov.Markov(8, seed=1), SOURCES, Beam(), allowed=allowed)


@pytest.mark.parametrize("kind", SEARCHES)
def test_a_search_says_how_it_scores(kind):
    assert "EOS counts in" in str(SEARCHES[kind]().formula())


@pytest.mark.parametrize("prefix", [[9], [-1], [4, 3]])
def test_an_impossible_prefix_is_a_problem(markov, prefix):
    with pytest.raises(Problem, match=r"prefix of source 1: .* from 0 to 8, and no EOS"):
        decode(markov.Markov(9, seed=1), SOURCES[:2], Greedy(), prefixes=[[], prefix])


def test_one_prefix_for_each_source():
    with pytest.raises(Problem, match="2 sources need as many prefixes"):
        Greedy().find(Vocabulary(9), source_batch(SOURCES[:2]), prefixes=[[]])


def test_a_coverage_penalty_without_attention_is_a_problem(markov):
    model = markov.Markov(9, seed=1, attends=False)
    with pytest.raises(Problem, match="needs attention, and this model's decoder gives none"):
        decode(model, SOURCES, Beam(coverage_penalty=0.2))


def test_attention_over_other_positions_than_the_sources_is_a_problem(markov):
    model = markov.Markov(9, seed=1)
    attention = model._attention
    model._attention = lambda rooms, lengths: attention(rooms, (lengths + 1) // 2)
    with pytest.raises(Problem, match="over each position of the source"):
        decode(model, SOURCES, Beam(coverage_penalty=0.2))


def test_models_of_different_vocabularies_are_no_ensemble():
    with pytest.raises(Problem, match="one and the same target vocabulary") as problem:
        Ensemble([Vocabulary(9), Vocabulary(8)])
    assert problem.value.value == "vocabularies of [9, 8] ids"


class Vocabulary:
    def __init__(self, count):
        self.vocabulary = count


def test_batches_hold_similar_lengths_longest_first():
    batches = length_batches([3, 9, 1, 9, 5], 2)
    assert list(batches) == [[1, 3], [4, 0], [2]]


def test_a_batch_of_sources_lays_them_end_to_end():
    batch = source_batch([[4, 3], [5, 6, 3]])
    assert batch.source.values.tolist() == [4, 3, 5, 6, 3]
    assert batch.source.lengths == (2, 3)
    assert torch.equal(batch.index, torch.tensor([0, 1]))
    assert batch.prefix is None
    assert batch.target is None
