"""Label smoothing that takes its share from the target without giving it to all ids."""

import pipeline.models.softmax as softmax

LAW = "reference"
TEST = "tests/laws/test_reference.py::test_the_loss_and_its_gradients"
WHY = "Smoothing is twice what the settings say."


def mutate(monkeypatch):
    original = softmax.CrossEntropy.forward

    def forward(ctx, outputs, weight, targets, smoothing):
        return original(ctx, outputs, weight, targets, 2 * smoothing)

    monkeypatch.setattr(softmax.CrossEntropy, "forward", staticmethod(forward))
