"""Two channels that share all of their random bits."""

import torch

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_no_two_channels_are_dropped_together"
WHY = "Neighbouring channels are dropped together."


def mutate(monkeypatch):
    original = dropout.hashed

    def hashed(keys, channels):
        return torch.repeat_interleave(original(keys, channels)[..., ::2], 2, -1)[..., :channels]

    monkeypatch.setattr(dropout, "hashed", hashed)
