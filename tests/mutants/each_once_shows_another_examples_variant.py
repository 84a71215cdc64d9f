"""A variant is taken of the next example."""

from pipeline.batches.collate import Examples

LAW = "each once"
TEST = "tests/laws/test_each_once.py::test_an_epoch_shows_every_example_once_in_one_of_its_variants"
WHY = "Some examples are shown twice in an epoch and others not at all."


def mutate(monkeypatch):
    original = Examples.shown

    def shown(self, rows, *, seed, epoch):
        found = original(self, rows, seed=seed, epoch=epoch)
        return found + ((found >= self.count) & (found % self.count < self.count - 1))

    monkeypatch.setattr(Examples, "shown", shown)
