"""A beam search that trusts the current length instead of a bound."""

import pipeline.decoding.normalisation as normalisation

LAW = "search"
TEST = "tests/laws/test_search.py::test_a_late_hypothesis_that_wins_is_waited_for[mean]"
WHY = (
    "A live hypothesis is given up for its mean so far, though a longer one may have a better mean."
)


def mutate(monkeypatch):
    def bound(self, totals, shortest, limits):
        return self.score(totals, shortest)

    monkeypatch.setattr(normalisation.Mean, "bound", bound)
