"""Rows of live hypotheses that are laid into the first places, whoever these belong to."""

import torch

import pipeline.models.rows as rows

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_empty_places_change_nothing_in_the_others[transformer]"
WHY = "What was made for one hypothesis is taken for another's as soon as a place is empty."


def mutate(monkeypatch):
    original = rows.Rows.__init__

    def init(self, live, *, steady):
        original(self, live, steady=steady)
        if not self.full:
            self._back = torch.arange(live.numel()).clamp(max=len(self._places) - 1)

    monkeypatch.setattr(rows.Rows, "__init__", init)
