"""The schedule counts steps from 0."""

from pipeline.training.schedule import Schedule

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_training.py::"
    "test_linear_rises_to_its_peak_and_falls_to_zero_after_the_last_step"
)
WHY = "The first step is taken at rate 0, and the peak comes late."


def mutate(monkeypatch):
    original = Schedule.rate
    monkeypatch.setattr(Schedule, "rate", lambda self, step, steps: original(self, step - 1, steps))
