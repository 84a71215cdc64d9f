"""A clean stage that loses the last row of every batch without counting it."""

import pipeline.cleaning.sift as sift

LAW = "ledger"
TEST = "tests/laws/test_ledger.py::test_every_row_is_kept_or_dropped_for_a_reason"
WHY = "A row is neither kept nor dropped, so the next stage sees fewer rows than the last one kept."


def mutate(monkeypatch):
    original = sift.kept

    def kept(cleaning, batches, verdicts, tally):
        shorter = (batch.slice(0, batch.num_rows - 1) for batch in batches)
        yield from original(cleaning, shorter, verdicts, tally)

    monkeypatch.setattr("pipeline.stages.clean.kept", kept)
