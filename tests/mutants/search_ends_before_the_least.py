"""Constraints that let EOS come at any time."""

from dataclasses import replace

import pipeline.decoding.constraints as constraints

LAW = "search"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_search_is_plain_beam_search_among_what_may_be_said[2-at least 3]"
)
WHY = "A hypothesis ends before its shortest length."


def mutate(monkeypatch):
    original = constraints.Constraints.strike

    def strike(self, log_probs, history, step, forced):
        return original(replace(self, least=None), log_probs, history, step, forced)

    monkeypatch.setattr(constraints.Constraints, "strike", strike)
