"""What the benchmark of training counts: the operations of a step, and those spent on padding."""

import sys

import pytest

SHAPE = {"layers": 2, "width": 8, "heads": 2, "feedforward": 16, "dropout": 0.1,
         "label_smoothing": 0.1}  # fmt: skip


@pytest.fixture
def model(root, monkeypatch):
    """The counting model of the benchmark, tiny."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    from peers.training.operations import Model

    yield Model(SHAPE, 11)
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


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
