"""The position within a window is lost."""

from dataclasses import replace

import pipeline.training.loop as loop

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_once_and_continued[6]"
WHY = "The first groups of the window are seen twice, the last ones never."


def mutate(monkeypatch):
    original = loop.steps

    def steps(*arguments, start, **others):
        return original(*arguments, start=replace(start, group=0), **others)

    monkeypatch.setattr("pipeline.training.run.steps", steps)
