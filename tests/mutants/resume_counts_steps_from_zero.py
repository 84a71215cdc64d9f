"""The schedule starts again after a stop."""

import pipeline.training.loop as loop

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_once_and_continued[6]"
WHY = "Step numbers key the learning rate and every mask."


def mutate(monkeypatch):
    original = loop.steps

    def steps(*arguments, done, **others):
        return original(*arguments, done=0, **others)

    monkeypatch.setattr("pipeline.training.run.steps", steps)
