"""Only the first pass's divergence from the second."""

import pipeline.models.rdrop as rdrop

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_lessons.py"
    "::test_r_drop_is_the_mean_of_two_passes_and_both_divergences[transformer]"
)
WHY = "One of the two Kullback-Leibler divergences counts twice."


def mutate(monkeypatch):
    monkeypatch.setattr(rdrop, "_divergence", lambda p, q: (p.exp() * (p - q)).sum())
