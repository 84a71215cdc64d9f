"""Operations: what is counted on a few short examples holds for any slot."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from pipeline.batches.padding import Extent, padding
from pipeline.training.operations import operations_of

CPU = torch.device("cpu")
LAYERS, WIDTH, INNER, VOCABULARY = 2, 8, 16, 11
# Where a decoder walks the target, what it attends to shrinks as targets end: a little less.
WALKS = {"lstm", "gru, coverage"}


def made(batch):
    """What a batch holds as one slot."""
    lengths = (np.array(side.lengths) for side in (batch.source, batch.target))
    return padding(*lengths, [np.arange(batch.count)]).made


@pytest.mark.parametrize(
    "name", ["transformer", "transformer, modern", "gru", "lstm", "gru, coverage",
             "transformer, copying, ctc"],
)  # fmt: skip
def test_they_are_those_that_torch_counts_in_a_step(tiny, name):
    model, batch = tiny.model_of(name, precision="fp32"), tiny.batch(tiny.examples(7))
    with FlopCounterMode(display=False) as counter:
        tiny.loss(model, batch).backward()
    found = operations_of(model, CPU)(made(batch))
    assert found == pytest.approx(counter.get_total_flops(), rel=0.02 if name in WALKS else 0)


def test_those_of_a_transformer_are_what_a_formula_says(tiny):
    square, network = WIDTH**2, 2 * WIDTH * INNER
    source = LAYERS * (4 * square + network) + LAYERS * 2 * square  # cross-attention's keys, too
    target = LAYERS * (6 * square + network) + WIDTH * VOCABULARY
    pair = LAYERS * 2 * WIDTH
    forward_and_twice_backward = 2 * 3
    by_hand = [0, 0, source, target, 0, 0, pair, pair, pair]
    found = operations_of(tiny.model_of("transformer", precision="fp32"), CPU).factors
    assert list(found) == [forward_and_twice_backward * factor for factor in by_hand]


def test_counting_leaves_no_gradient_and_no_other_weight(tiny):
    model = tiny.model_of("transformer")
    before = [weight.detach().clone() for weight in model.parameters()]
    assert operations_of(model, CPU)(Extent(0, 0, 0, 0, 0, 0, 0, 0, 0)) == 0
    assert all(weight.grad is None for weight in model.parameters())
    assert all(map(torch.equal, model.parameters(), before))
