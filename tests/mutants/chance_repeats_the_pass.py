"""Both passes over a batch draw the same."""

from dataclasses import replace

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_both_passes_over_a_batch_draw_their_own[gru-1]"
WHY = "R-Drop compares a pass with itself."


def mutate(monkeypatch):
    original = dropout.step_key
    monkeypatch.setattr(
        dropout, "step_key", lambda chance, device: original(replace(chance, turn=0), device)
    )
