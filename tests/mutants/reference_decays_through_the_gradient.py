"""Weight decay is added to the gradient, as in Adam."""

from pipeline.training.optimizer import Optimizer

LAW = "reference"
TEST = "tests/laws/test_reference_of_training.py::test_adamw_is_its_papers_algorithm"
WHY = "The second moment then rescales the decay."


def mutate(monkeypatch):
    original = Optimizer._change

    def change(self, names, rate, decay):
        for name in names:
            self.parameters[name].grad += decay * self.parameters[name].detach()
        original(self, names, rate, 0.0)

    monkeypatch.setattr(Optimizer, "_change", change)
