"""A run goes back to its newest checkpoint, planned or not."""

from pipeline.training.writer import Writer

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_around_faults_and_continued[8]"
WHY = "Where a run was stopped decides where it goes back to."


def mutate(monkeypatch):
    monkeypatch.setattr(Writer, "planned", lambda self: self._newest(planned=False))
