"""Attention scores divided by the root of the model's width, not of a head's."""

import pipeline.models.scaled_dot as scaled_dot

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py"
    "::test_the_transformers_encoder_block[True-layer-relu-torch.float64]"
)
WHY = "All heads together are taken for one."


def mutate(monkeypatch):
    original = scaled_dot.Attend.__init__

    def initialise(self, width, heads, dropout):
        original(self, width, heads, dropout)
        self.scale = width**-0.5

    monkeypatch.setattr(scaled_dot.Attend, "__init__", initialise)
