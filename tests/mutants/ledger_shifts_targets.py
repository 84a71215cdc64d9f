"""An encoder that drops the over-long from the sources and forgets the targets."""

import pipeline.shards.encode as encode

LAW = "ledger"
TEST = "tests/laws/test_ledger.py::test_source_and_target_of_every_example_are_of_one_row"
WHY = "From the first such row on every source stands beside another row's target."


def mutate(monkeypatch):
    original = encode.Pieces.target_ids

    def target_ids(self, texts):
        found = original(self, texts)
        return found[:2] + found[1:-1]

    monkeypatch.setattr(encode.Pieces, "target_ids", target_ids)
