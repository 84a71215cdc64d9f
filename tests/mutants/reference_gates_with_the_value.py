"""SwiGLU whose two maps have changed places."""

from torch.nn import functional

import pipeline.models.feedforward as feedforward

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py"
    "::test_the_transformers_encoder_block[True-layer-swiglu-torch.float64]"
)
WHY = "The value goes through the sigmoid, and the gate does not."


def mutate(monkeypatch):
    def swapped(vectors):
        gates, values = vectors.chunk(2, dim=-1)
        return gates * functional.silu(values)

    monkeypatch.setitem(feedforward.ACTIVATIONS, "swiglu", (swapped, 2))
