"""Candidates that are ordered by sum, then beam, then id."""

import pipeline.decoding.candidates as candidates

LAW = "search"
TEST = "tests/decoding/test_candidates.py::test_they_are_those_of_a_full_sort[3-1-9]"
WHY = "Of equal sums the lower beam is taken before the lower id."


def mutate(monkeypatch):
    def sorted_in_full(log_probs, totals):
        sums = totals[:, :, None] + log_probs
        sums[:, :, : len(candidates.BANNED)] = float("-inf")
        order = sums.flatten(1).sort(dim=1, descending=True, stable=True)
        vocabulary = log_probs.shape[2]
        return order.values, order.indices % vocabulary, order.indices // vocabulary

    monkeypatch.setattr(candidates, "_sorted_in_full", sorted_in_full)
