"""What the benchmark of training counts: the operations of a step, and those spent on padding."""

import sys

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.seam import Chance

LAYERS, WIDTH, INNER, VOCABULARY = 2, 8, 16, 11


@pytest.fixture
def model(root, monkeypatch):
    """The counting model of the benchmark, in the shape of the tiny Transformer."""
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    from peers.training.operations import Model

    yield Model(LAYERS, WIDTH, INNER, VOCABULARY)
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


def ragged(lengths):
    return Ragged(torch.full((sum(lengths),), 5), tuple(lengths))


@pytest.mark.parametrize("lengths", [([3, 3], [4, 4]), ([5, 2, 1], [1, 3, 6])])
def test_the_operations_counted_are_those_that_the_engine_makes(model, tiny, lengths):
    sources, targets = map(ragged, lengths)
    batch = Batch(sources, targets, targets, torch.arange(len(lengths[0])))
    own = tiny.model_of("transformer", precision="fp32")
    with FlopCounterMode(display=False) as counter:
        sum(own.losses(batch, Chance(1, 1)).values()).backward()
    assert model.made(lengths, flat=True) == counter.get_total_flops()


def test_a_batch_of_equal_lengths_has_no_padding(model):
    batch = ([3, 3, 3], [2, 2, 2])
    assert model.needed(batch) == model.made(batch, flat=True) == model.made(batch, flat=False)


def test_padding_costs_most_where_it_is_everywhere(model):
    batch = ([3, 1], [2, 6])
    assert model.needed(batch) < model.made(batch, flat=True) < model.made(batch, flat=False)
