"""Constraints that do not force EOS at a source's limit."""

from dataclasses import replace

import pipeline.decoding.constraints as constraints

LAW = "search"
TEST = "tests/laws/test_search.py::test_no_target_is_longer_than_its_limit_and_eos_is_forced_there"
WHY = "At its limit a hypothesis may take any id, so it ends later or never."


def mutate(monkeypatch):
    original = constraints.Constraints.forced

    def forced(self, step):
        return original(replace(self, limits=self.limits + 1), step)

    monkeypatch.setattr(constraints.Constraints, "forced", forced)
