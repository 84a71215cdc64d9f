"""What the benchmark of training counts: the operations of a step, and those spent on padding."""

import sys

import pytest

SHAPE = {"layers": 2, "width": 8, "heads": 2, "feedforward": 16, "dropout": 0.1,
         "label_smoothing": 0.1}  # fmt: skip


@pytest.fixture
def peers(root, monkeypatch):
    """The benchmarks' package `peers` can be imported."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


@pytest.fixture
def model(peers):
    """The counting model of the benchmark, tiny."""
    from peers.training.operations import Model

    return Model(SHAPE, 11)


def test_ours_comes_first_and_each_peer_that_knows_the_precision_in_each_setup(peers):
    from peers.training.systems import SETUPS, SYSTEMS, entrants

    eole, hugging = ([(name, setup) for setup in SETUPS] for name in ("eole", "huggingface"))
    assert entrants(list(SYSTEMS), SETUPS, "bf16") == [("ours", "own"), *eole, *hugging]
    assert entrants(["joeynmt", "ours"], ["own"], "fp32") == [("ours", "own"), ("joeynmt", "own")]


def test_only_a_tuned_peer_has_the_allocator_of_our_workers(peers):
    from peers.training.systems import variables

    tuned, own = (variables(2, tuned=tuned) for tuned in (True, False))
    assert tuned["OMP_NUM_THREADS"] == own["OMP_NUM_THREADS"] == "2"
    assert "MALLOC_TOP_PAD_" in tuned.keys() - own.keys()


def test_a_batch_of_equal_lengths_has_no_padding(model):
    batch = ([3, 3, 3], [2, 2, 2])
    assert model.needed(batch) == model.made(batch, flat=True) == model.made(batch, flat=False)


def test_what_is_needed_is_that_of_the_examples_apart(model):
    alone = [([source], [target]) for source, target in ((3, 2), (1, 6))]
    assert model.needed(([3, 1], [2, 6])) == sum(map(model.needed, alone))


def test_padding_costs_most_where_it_is_everywhere(model):
    batch = ([3, 1], [2, 6])
    assert model.needed(batch) < model.made(batch, flat=True) < model.made(batch, flat=False)
    assert model.made(batch, flat=False) == model.needed(([3, 3], [6, 6]))
