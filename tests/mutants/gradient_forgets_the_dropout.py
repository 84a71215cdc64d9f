"""A backward pass that forgets what was dropped."""

import torch

import pipeline.models.dropout as dropout

LAW = "gradient"
TEST = (
    "tests/laws/test_gradient.py::test_gradients_with_dropout_are_central_differences[transformer]"
)
WHY = "Channels that were dropped get a gradient as if they had been used."


def mutate(monkeypatch):
    def backward(ctx, gradient):
        onto = gradient if ctx.needs_input_grad[0] else None
        return onto, torch.clone(gradient) * ctx.scale, None, None

    monkeypatch.setattr(dropout._Scaled, "backward", staticmethod(backward))
