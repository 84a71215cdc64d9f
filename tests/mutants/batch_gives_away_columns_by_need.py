"""An invariant search whose cache is as wide as the hypotheses of a batch need together."""

import dataclasses

import pipeline.models.cache as cache

LAW = "batch"
TEST = (
    "tests/laws/test_search_of_every_model.py::"
    "test_an_invariant_batch_changes_no_bit[False-transformer-beam]"
)
WHY = "What a neighbour's hypotheses look at changes the shapes, and so the last bits, of a source."


def mutate(monkeypatch):
    original = cache.Cache._taken

    def taken(self):
        return original(dataclasses.replace(self, steady=False))

    monkeypatch.setattr(cache.Cache, "_taken", taken)
