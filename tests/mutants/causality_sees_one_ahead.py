"""The triangle of the decoder's self-attention, one column too wide."""

import torch

import pipeline.models.transformer_decoder as transformer_decoder

LAW = "causality"
TEST = "tests/laws/test_causality.py::test_what_comes_later_changes_nothing[transformer-2]"
WHY = "A position attends to the one after it."


def mutate(monkeypatch):
    def causal(mask):
        longest = mask.shape[1]
        return torch.ones(longest, longest, dtype=torch.bool).tril(1) & mask[:, None]

    monkeypatch.setattr(transformer_decoder, "causal", causal)
