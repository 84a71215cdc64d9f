"""The gradient is divided by the number of workers, as wrappers do."""

from pipeline.training.gradient import Gradient

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_several_workers_take_the_steps_of_one[transformer-2]"
WHY = "Two workers clip a gradient half as long, and take another step."


def mutate(monkeypatch):
    original = Gradient.reduce

    def reduce(self, team):
        numbers = original(self, team)
        self.flat.div_(team.count)
        return numbers

    monkeypatch.setattr(Gradient, "reduce", reduce)
