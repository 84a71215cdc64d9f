"""The moving average begins anew after a stop."""

import pipeline.training.step as step

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_with_a_moving_average[7]"
WHY = "What was averaged before the stop has no part in the result."


def mutate(monkeypatch):
    def load(self, state):
        self.optimizer.load(state)

    monkeypatch.setattr(step.Hands, "load", load)
