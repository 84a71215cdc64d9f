"""The optimiser starts anew after a stop."""

from pipeline.training.optimizer import Optimizer

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_once_and_continued[6]"
WHY = "Weights go on, their moving averages do not."


def mutate(monkeypatch):
    monkeypatch.setattr(Optimizer, "load", lambda self, state: None)
