"""A recurrent unit that leaves the bias out of what is reset."""

import torch

from pipeline.models.gru import GRU

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_recurrence.py::"
    "test_one_step_is_torchs_cell_with_and_without_gradients[gru]"
)
WHY = "The new state's own bias is added outside of the reset gate's reach."


def mutate(monkeypatch):
    original = GRU.step

    def step(self, gates, product, state, bias):
        units = state.shape[-1]
        shifted = torch.cat([gates[..., : 2 * units], gates[..., 2 * units :] + bias], -1)
        return original(self, shifted, product, state, torch.zeros_like(bias))

    monkeypatch.setattr(GRU, "step", step)
