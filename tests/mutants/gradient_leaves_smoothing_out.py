"""A loss whose gradient leaves smoothing out."""

import torch

import pipeline.models.softmax as softmax

LAW = "gradient"
TEST = (
    "tests/laws/test_gradient.py::test_gradients_with_dropout_are_central_differences[transformer]"
)
WHY = "The even part of smoothing is in the loss, but not in its slope."


def mutate(monkeypatch):
    original = softmax.CrossEntropy.forward

    def forward(ctx, outputs, weight, targets, smoothing):
        total = original(ctx, outputs, weight, targets, smoothing)
        even = smoothing / len(weight)
        by_output, by_weight = ctx.to_save
        ctx.save_for_backward(by_output + even * weight.sum(0), by_weight + torch.zeros(()))
        return total

    monkeypatch.setattr(softmax.CrossEntropy, "forward", staticmethod(forward))
