"""An invariant batch that is not filled up."""

import pipeline.decoding.decode as decode

LAW = "batch"
TEST = (
    "tests/laws/test_search_of_every_model.py::"
    "test_an_invariant_batch_changes_no_bit[False-transformer-beam]"
)
WHY = "Products over one row round otherwise than products over many."


def mutate(monkeypatch):
    monkeypatch.setattr(decode, "Invariant", lambda model, most: model)
