"""A search that adds the first learned position to every id."""

import torch

import pipeline.models.positions as positions

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_one_step_is_the_forced_pass[transformer, norms last]"
WHY = "A step looks up the row of position 0, wherever it stands."


def mutate(monkeypatch):
    original = positions.Learned.add

    def first(self, vectors, position, longest):
        place = torch.zeros_like(position) if len(position) == 1 else position
        return original(self, vectors, place, longest)

    monkeypatch.setattr(positions.Learned, "add", first)
