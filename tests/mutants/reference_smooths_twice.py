"""Label smoothing by twice the share of the settings."""

import pipeline.models.softmax as softmax

LAW = "reference"
TEST = "tests/laws/test_reference.py::test_the_loss_and_its_gradients[2-0.1]"
WHY = "The target gives up twice what it should."


def mutate(monkeypatch):
    original = softmax.CrossEntropy.forward

    def forward(ctx, outputs, weight, targets, smoothing):
        return original(ctx, outputs, weight, targets, 2 * smoothing)

    monkeypatch.setattr(softmax.CrossEntropy, "forward", staticmethod(forward))
