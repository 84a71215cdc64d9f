"""A coverage that follows the first beam."""

import pipeline.decoding.coverage as coverage

LAW = "score"
TEST = "tests/laws/test_score.py::test_a_coverage_penalty_is_that_of_the_forced_attention[None]"
WHY = (
    "Coverage is always that of the first beam, so a hypothesis is charged for another's attention."
)


def mutate(monkeypatch):
    original = coverage.Coverage.select

    def select(self, sources, beams):
        return original(self, sources, beams.clamp(max=0))

    monkeypatch.setattr(coverage.Coverage, "select", select)
