"""A decoder that attends to the padding of shorter sources."""

import torch

import pipeline.models.transformer_decoder as transformer_decoder

LAW = "padding"
TEST = "tests/laws/test_padding.py::test_a_longer_neighbour_changes_no_logit[transformer]"
WHY = "A longer neighbour adds padding to a source, and its padding is attended to."


def mutate(monkeypatch):
    def bias_of(mask, dtype):
        return torch.zeros(mask.shape, dtype=dtype)

    monkeypatch.setattr(transformer_decoder, "bias_of", bias_of)
