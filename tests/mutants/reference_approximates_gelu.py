"""GELU by its tanh formula."""

from functools import partial

from torch.nn import functional

import pipeline.models.feedforward as feedforward

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py"
    "::test_the_transformers_encoder_block[True-layer-gelu-torch.float64]"
)
WHY = "An approximation stands where the exact function is promised."


def mutate(monkeypatch):
    gelu = partial(functional.gelu, approximate="tanh")
    monkeypatch.setitem(feedforward.ACTIVATIONS, "gelu", (gelu, 1))
