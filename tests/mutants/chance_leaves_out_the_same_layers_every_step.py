"""Layer drop that is drawn once for a whole training."""

import pipeline.models.dropout as dropout
from pipeline.models.seam import Chance

LAW = "chance"
TEST = (
    "tests/models/test_transformer.py"
    "::test_layers_are_left_out_at_the_stated_rate_by_seed_step_and_layer[0.5]"
)
WHY = "A layer that is left out in the first step is never trained."


def mutate(monkeypatch):
    original = dropout.step_key

    def step_key(chance, device):
        return original(Chance(chance.seed, 0), device)

    monkeypatch.setattr(dropout, "step_key", step_key)
