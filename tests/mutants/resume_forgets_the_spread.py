"""The running spread of the losses begins anew after a stop."""

from dataclasses import replace

import pipeline.training.resume as resume
from pipeline.training.recovery import RunningSpread

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_around_faults_and_continued[8]"
WHY = "Too few losses are known to see that one is far outside, and the run goes on from it."


def mutate(monkeypatch):
    original = resume.resumed

    def resumed(*arguments):
        return replace(original(*arguments), spread=RunningSpread())

    monkeypatch.setattr("pipeline.training.fit.resumed", resumed)
