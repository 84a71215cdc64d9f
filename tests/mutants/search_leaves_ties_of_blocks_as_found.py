"""Candidates of the chosen blocks in the order in which topk gave them."""

import pipeline.decoding.candidates as candidates

LAW = "search"
TEST = "tests/decoding/test_candidates.py::test_they_are_those_of_a_full_sort[3-4-2000]"
WHY = "Of equal sums the one that topk happens to name first is taken before the lower id."


def mutate(monkeypatch):
    def ordered(sums, ids, beams):
        order = sums.sort(dim=1, descending=True, stable=True)
        return order.values, ids.gather(1, order.indices), beams.gather(1, order.indices)

    monkeypatch.setattr(candidates, "_ordered", ordered)
