"""The norm is that of a worker's own part."""

from pipeline.training.sharding import PartGradient
from pipeline.training.team import Team

LAW = "additivity"
TEST = "tests/laws/test_additivity_sharded.py::test_the_norm_is_that_of_all_parts"
WHY = "Each worker clips its part by another factor, and all take another step."


def mutate(monkeypatch):
    original = PartGradient.reduce
    monkeypatch.setattr(PartGradient, "reduce", lambda self, team: original(self, Team()))
