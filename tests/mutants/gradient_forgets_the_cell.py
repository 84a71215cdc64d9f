"""Long short-term memory whose gradient ends at the cell."""

from pipeline.models.lstm import LSTMSlopes

LAW = "gradient"
TEST = "tests/laws/test_gradient.py::test_gradients_with_dropout_are_central_differences[lstm]"
WHY = "The slope in c is lost from step to step, so only h carries what was long ago."


def mutate(monkeypatch):
    original = LSTMSlopes.back

    def back(self, number, carry, moment, before):
        original(self, number, carry, moment, before)
        carry.zero_()

    monkeypatch.setattr(LSTMSlopes, "back", back)
