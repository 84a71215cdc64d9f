"""A variant is drawn without the epoch."""

from pipeline.batches.collate import Examples

LAW = "each once"
TEST = "tests/laws/test_each_once.py::test_an_epoch_shows_every_example_once_in_one_of_its_variants"
WHY = "An example never changes its segmentation."


def mutate(monkeypatch):
    original = Examples.shown
    monkeypatch.setattr(
        Examples,
        "shown",
        lambda self, rows, *, seed, epoch: original(self, rows, seed=seed, epoch=0),
    )
