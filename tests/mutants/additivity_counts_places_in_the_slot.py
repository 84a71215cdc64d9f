"""An example's index is its place in the slot, not in the group."""

import numpy as np

from pipeline.batches.collate import Examples

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_one_slot_gives_the_gradient_of_many[transformer]"
WHY = "Two slots draw the same masks for their first examples."


def mutate(monkeypatch):
    original = Examples.batch

    def batch(self, rows, index):
        return original(self, rows, np.arange(len(index)))

    monkeypatch.setattr(Examples, "batch", batch)
