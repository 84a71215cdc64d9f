"""Steps that all stand at position 0."""

import torch

import pipeline.models.positions as positions

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_one_step_is_the_forced_pass[transformer]"
WHY = "A step adds the sines and cosines of the first position to every id."


def mutate(monkeypatch):
    original = positions.Sinusoidal.add

    def first(self, vectors, position, longest):
        place = torch.zeros_like(position) if len(position) == 1 else position
        return original(self, vectors, place, longest)

    monkeypatch.setattr(positions.Sinusoidal, "add", first)
