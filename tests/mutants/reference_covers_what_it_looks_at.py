"""A coverage loss that begins with the step itself."""

import torch

import pipeline.models.pointer as pointer

LAW = "reference"
TEST = "tests/laws/test_reference_of_losses.py::test_the_coverage_loss_is_what_is_attended_to_again"
WHY = "Looking at a position for the first time is charged as if it were the second."


def mutate(monkeypatch):
    def coverage_loss(attention, layout):
        padded = layout.pad(attention)
        return torch.minimum(padded, padded.cumsum(1)).sum()

    monkeypatch.setattr(pointer, "coverage_loss", coverage_loss)
