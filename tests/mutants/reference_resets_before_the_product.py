"""A recurrent unit that leaves the bias out of what is reset."""

import torch

import pipeline.models.gru as gru

LAW = "reference"
TEST = "tests/laws/test_reference.py::test_one_step_of_a_gru_is_torchs_cell"
WHY = "The new state's own bias is added outside of the reset gate's reach."


def mutate(monkeypatch):
    original = gru.cell

    def cell(gates, product, state, bias):
        units = state.shape[-1]
        shifted = torch.cat([gates[..., : 2 * units], gates[..., 2 * units :] + bias], -1)
        return original(shifted, product, state, torch.zeros_like(bias))

    monkeypatch.setattr(gru, "cell", cell)
