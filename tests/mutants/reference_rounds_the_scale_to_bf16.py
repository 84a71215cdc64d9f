"""What a step's loss is divided by, rounded to bf16 before it scales the slopes."""

import pipeline.models.softmax as softmax

LAW = "reference"
TEST = "tests/laws/test_reference.py::test_in_bf16_the_loss_is_scaled_before_it_is_rounded[4001]"
WHY = "Everything below the generator learns up to 0.4 % faster or slower than the generator."


def mutate(monkeypatch):
    original = softmax.CrossEntropy.backward

    def backward(ctx, scale):
        return original(ctx, scale.bfloat16().to(scale.dtype))

    monkeypatch.setattr(softmax.CrossEntropy, "backward", staticmethod(backward))
