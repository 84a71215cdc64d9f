"""Selected hypotheses that keep the recurrent state of the first beam."""

import torch

import pipeline.models.state as state

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass[gru-0]"
WHY = "The moving tensors follow the first hypothesis of a source, whichever was selected."


def mutate(monkeypatch):
    original = state.DecoderState.select

    def select(self, sources, beams):
        first = {name: value[:, :1].expand_as(value) for name, value in self.moving.items()}
        self.moving = {name: torch.clone(value) for name, value in first.items()}
        return original(self, sources, beams)

    monkeypatch.setattr(state.DecoderState, "select", select)
