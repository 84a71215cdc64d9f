"""Each worker judges a step by the losses of its own share."""

from pipeline.training.gradient import Gradient

LAW = "additivity"
TEST = "tests/training/test_recovery.py::test_all_workers_go_back_together"
WHY = "Only the worker that had the example goes back; the others take other steps."


def mutate(monkeypatch):
    original = Gradient.reduce

    def reduce(self, team):
        own = self.extras.tolist()
        *_, norm = original(self, team)
        return [*own, norm]

    monkeypatch.setattr(Gradient, "reduce", reduce)
