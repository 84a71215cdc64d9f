"""The window of an epoch is lost."""

from dataclasses import replace

import pipeline.training.loop as loop

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_once_and_continued[11]"
WHY = "The first window's examples are seen twice in an epoch, the last one's never."


def mutate(monkeypatch):
    original = loop.steps

    def steps(*arguments, start, **others):
        return original(*arguments, start=replace(start, window=0), **others)

    monkeypatch.setattr("pipeline.training.run.steps", steps)
