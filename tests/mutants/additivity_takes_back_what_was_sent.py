"""A share that is begun again begins the buckets again that have left."""

from pipeline.training.gradient import Gradient

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_only_the_worker_that_is_short_of_memory_cuts_its_slots"
WHY = "The others' sum is overwritten by this worker's own gradient."


def mutate(monkeypatch):
    original = Gradient.clear

    def clear(self):
        left, self._left = self._left, 0
        original(self)
        self._left = left

    monkeypatch.setattr(Gradient, "clear", clear)
