"""A beam search that ends for all sources when one of them is done."""

import pipeline.decoding.beam as beam

LAW = "batch"
TEST = (
    "tests/laws/test_batch_of_search.py::"
    "test_a_source_that_ends_at_once_leaves_its_neighbours_alone"
)
WHY = "Stopping is decided for the batch, so a source stops when its neighbour does."


def mutate(monkeypatch):
    original = beam.Beam._proven

    def proven(self, taken, places, step, n):
        mine = original(self, taken, places, step, n) | ~taken.going.any(1)
        return mine.any().expand_as(mine)

    monkeypatch.setattr(beam.Beam, "_proven", proven)
