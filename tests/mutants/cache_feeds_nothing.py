"""Input feeding in training only: a search feeds zeros."""

import torch

from pipeline.models.recurrent_decoder import RecurrentDecoder

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_one_step_is_the_forced_pass[lstm]"
WHY = "The first output is not given to the second step."


def mutate(monkeypatch):
    original = RecurrentDecoder.step

    def step(self, vectors, state, rows):
        result, after = original(self, vectors, state, rows)
        after.moving["fed"] = torch.zeros_like(after.moving["fed"])
        return result, after

    monkeypatch.setattr(RecurrentDecoder, "step", step)
