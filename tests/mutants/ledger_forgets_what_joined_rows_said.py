"""Joining that keeps the first row of a source, counts the others, and loses their references."""

from dataclasses import replace

import pipeline.corpora.joined as joined
from pipeline.arrow import compute as pc

LAW = "ledger"
TEST = "tests/laws/test_ledger.py::test_rows_that_are_joined_live_on_as_references"
WHY = "A right answer that is not the first reference would count as wrong."


def mutate(monkeypatch):
    original = joined.joined

    def first_only(rows):
        found = original(rows)
        return replace(found, rows=rows.filter(pc.is_in(rows["id"], found.rows["id"])))

    monkeypatch.setattr(joined, "joined", first_only)
