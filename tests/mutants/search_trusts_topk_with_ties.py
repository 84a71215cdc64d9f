"""Candidates that never look whether topk had to choose among equals."""

import pipeline.decoding.candidates as candidates

LAW = "search"
TEST = "tests/laws/test_search.py::test_where_everything_ties_the_lowest_ids_are_taken"
WHY = "Of equal log-probabilities at the edge those that topk happens to give are taken."


def mutate(monkeypatch):
    def of_each_beam(log_probs, totals, places):
        top = log_probs.flip(2).topk(min(places + 4, log_probs.shape[2]), dim=2)
        ids = log_probs.shape[2] - 1 - top.indices
        sums = totals[:, :, None] + top.values
        return candidates._strike_banned(sums, ids), ids

    monkeypatch.setattr(candidates, "_of_each_beam", of_each_beam)
