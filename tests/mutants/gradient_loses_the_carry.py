"""A recurrence whose gradient forgets one way back to the state before."""

import pipeline.models.gru as gru

LAW = "gradient"
TEST = "tests/laws/test_gradient.py::test_gradients_are_central_differences_with_dropout_on"
WHY = "The reset gate's slope is left out, so the gradient is nearly right."


def mutate(monkeypatch):
    original = gru.Slopes.of

    def of(self, number, total, step, before):
        original(self, number, total, step, before)
        self.through_parts[number][:, : self.units] = 0

    monkeypatch.setattr(gru.Slopes, "of", of)
