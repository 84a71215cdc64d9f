"""Dropout keyed by the place in the batch's flat vectors."""

import torch

import pipeline.models.block as block
from pipeline.models.dropout import salted

LAW = "padding"
TEST = (
    "tests/laws/test_padding.py"
    "::test_losses_and_gradients_add_up_whatever_lies_side_by_side[transformer]"
)
WHY = "What is dropped depends on which examples lie before this one."


def mutate(monkeypatch):
    def position_keys(examples, layout):
        places = torch.arange(layout.positions)
        return None if examples is None else salted(examples.keys[0], places)

    monkeypatch.setattr(block, "position_keys", position_keys)
