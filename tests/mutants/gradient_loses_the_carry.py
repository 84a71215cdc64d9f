"""A recurrence whose gradient forgets one way back to the state before."""

from pipeline.models.gru import GRUSlopes

LAW = "gradient"
TEST = "tests/laws/test_gradient.py::test_gradients_with_dropout_are_central_differences[gru]"
WHY = "The reset gate's slope is left out, so the gradient is nearly right."


def mutate(monkeypatch):
    original = GRUSlopes.back

    def back(self, number, carry, moment, before):
        original(self, number, carry, moment, before)
        self.through_parts[number][:, : self.units] = 0

    monkeypatch.setattr(GRUSlopes, "back", back)
