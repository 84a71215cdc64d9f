"""Dropout keyed by the row of the batch instead of the index in the group."""

import torch

import pipeline.models.seq2seq as seq2seq
from pipeline.models.dropout import example_keys

LAW = "batch"
TEST = "tests/laws/test_batch.py::test_permuting_a_batch_permutes_the_logits[transformer]"
WHY = "An example that moves to another row of its batch drops other numbers."


def mutate(monkeypatch):
    def by_row(chance, index):
        return example_keys(chance, torch.arange(len(index)))

    monkeypatch.setattr(seq2seq, "example_keys", by_row)
