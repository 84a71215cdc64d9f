"""Candidates that are ordered by sum, then beam, then id."""

import pipeline.decoding.candidates as candidates

LAW = "search"
TEST = "tests/laws/test_search.py::test_ties_go_to_the_lower_id_then_to_the_lower_beam[2]"
WHY = "Of equal sums the lower beam is taken before the lower id."


def mutate(monkeypatch):
    def of_all_beams(sums, ids, places):
        order = sums.flatten(1).sort(dim=1, descending=True, stable=True)
        first = order.indices[:, :places]
        beams = first // sums.shape[2]
        return order.values[:, :places], ids.flatten(1).take_along_dim(first, 1), beams

    monkeypatch.setattr(candidates, "_of_all_beams", of_all_beams)
