"""A mask that in bfloat16 is a number, as where minus infinity is feared."""

import pipeline.models.transformer_decoder as transformer_decoder
from pipeline.models.scaled_dot import bias_of

LAW = "causality"
TEST = (
    "tests/laws/test_causality.py::"
    "test_what_comes_later_changes_no_more_than_rounding_does[transformer-0-bf16]"
)
WHY = "In bfloat16 what comes later is attended to less, not never."


def mutate(monkeypatch):
    def weak(mask, dtype):
        bias = bias_of(mask, dtype)
        return bias if dtype.itemsize > 2 else bias.clamp(min=-1)

    monkeypatch.setattr(transformer_decoder, "bias_of", weak)
