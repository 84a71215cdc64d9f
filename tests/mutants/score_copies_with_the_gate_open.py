"""A search that takes the gate of copying for half open."""

import torch

import pipeline.models.pointer as pointer

LAW = "score"
TEST = (
    "tests/laws/test_score_of_copying.py::"
    "test_the_score_of_a_found_hypothesis_is_minus_its_loss[None-gru, copying]"
)
WHY = "In search an id is written and copied alike, whatever the gate says."


def mutate(monkeypatch):
    original = pointer.mixture

    def mixture(written, copied, gate):
        search = written.shape[-1] > 1  # a loss asks for its target alone
        return original(written, copied, torch.zeros_like(gate) if search else gate)

    monkeypatch.setattr(pointer, "mixture", mixture)
