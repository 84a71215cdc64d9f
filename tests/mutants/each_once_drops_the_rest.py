"""The last group of a window is dropped."""

from pipeline.batches.plan import Plan

LAW = "each once"
TEST = "tests/laws/test_each_once.py::test_an_epoch_holds_every_example_once[one window-50]"
WHY = "What does not fill a group is never seen."


def mutate(monkeypatch):
    original = Plan.groups
    monkeypatch.setattr(Plan, "groups", lambda self, *where: original(self, *where)[:-1])
