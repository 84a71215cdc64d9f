"""After a stop, learning rates are the schedule's again."""

from dataclasses import replace

import pipeline.training.resume as resume

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_around_faults_and_continued[10]"
WHY = "What made the run go back is forgotten, and it goes on as fast as before."


def mutate(monkeypatch):
    original = resume.resumed

    def resumed(*arguments):
        return replace(original(*arguments), rate_factor=1.0)

    monkeypatch.setattr("pipeline.training.fit.resumed", resumed)
