"""Scheduled sampling keyed by the row of the slot instead of the index in the group."""

import torch

import pipeline.models.scheduled_sampling as scheduled_sampling
from pipeline.models.dropout import example_keys

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_one_slot_gives_the_gradient_of_many_in_a_lesson[gru]"
WHY = "Where a group is cut decides which ids are predictions."


def mutate(monkeypatch):
    def by_row(chance, index):
        return example_keys(chance, torch.arange(len(index)))

    monkeypatch.setattr(scheduled_sampling, "example_keys", by_row)
