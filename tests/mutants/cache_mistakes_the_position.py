"""Steps that all stand at position 0."""

import torch

import pipeline.models.transformer_decoder as transformer_decoder
from pipeline.models.positions import sinusoids

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_one_step_is_the_forced_pass"
WHY = "A step adds the sines and cosines of the first position to every id."


def mutate(monkeypatch):
    def first(position, longest, width, dtype):
        place = torch.zeros_like(position) if len(position) == 1 else position
        return sinusoids(place, longest, width, dtype)

    monkeypatch.setattr(transformer_decoder, "sinusoids", first)
