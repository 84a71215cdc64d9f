"""Cleaning that compares texts as they were written."""

import pipeline.cleaning.judge as judge

LAW = "leak"
TEST = "tests/laws/test_leak.py::test_no_held_out_source_is_in_train_in_any_disguise[NFC]"
WHY = "A test sentence with two spaces instead of one is learned by heart."


def mutate(monkeypatch):
    def normalised(rows, normaliser):
        return rows.select(judge.COLUMNS)

    monkeypatch.setattr(judge, "normalised", normalised)
    monkeypatch.setattr("pipeline.cleaning.sift.normalised", normalised)
