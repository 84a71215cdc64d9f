"""Counts are those of a worker's own share."""

import pipeline.training.step as step
from pipeline.training.team import Team

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_several_workers_take_the_steps_of_one[transformer-2]"
WHY = "Each worker divides by its own count, so the sum is no mean of the group."


def mutate(monkeypatch):
    original = step.group_counts
    monkeypatch.setattr(
        step, "group_counts", lambda model, share, team: original(model, share, Team())
    )
