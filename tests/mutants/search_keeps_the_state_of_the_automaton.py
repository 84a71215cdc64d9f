"""Places in the automaton that do not move with their hypotheses."""

from dataclasses import replace

import pipeline.decoding.constraints as constraints

LAW = "search"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_search_is_plain_beam_search_among_what_may_be_said[4-a list]"
)
WHY = "A hypothesis may go on as another one might, which said something else."


def mutate(monkeypatch):
    def follow(self, beams, ids):
        if self.allowed is None:
            return self
        states = self.states[:, :1].expand_as(ids)
        return replace(self, states=self.allowed.after(states, ids))

    monkeypatch.setattr(constraints.Constraints, "follow", follow)
