"""The position of a step is that of the group that was made while it computed."""

from dataclasses import replace

import pipeline.training.loop as loop

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_once_and_continued[6]"
WHY = "After a stop the group that was waiting is never seen."


def mutate(monkeypatch):
    original = loop.early

    def early(shares, device):
        made = original(shares, device)
        present = next(made)
        for after in made:
            yield replace(present, position=after.position)
            present = after
        yield present

    monkeypatch.setattr(loop, "early", early)
