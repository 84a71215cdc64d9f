"""Keys that do not depend on the step."""

import torch

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_masks_differ_by_seed_step_example_site_and_position"
WHY = "Every step drops the same numbers."


def mutate(monkeypatch):
    def example_keys(chance, index):
        return None if chance is None else dropout.salted(torch.tensor(chance.seed), index)

    monkeypatch.setattr(dropout, "example_keys", example_keys)
