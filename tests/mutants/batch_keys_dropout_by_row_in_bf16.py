"""Dropout that in bfloat16 is keyed by the row of the batch instead of the index in the group."""

from dataclasses import replace

import torch

from pipeline.models.seq2seq import Model

LAW = "batch"
TEST = (
    "tests/laws/test_batch.py::test_regrouping_changes_no_more_than_rounding_does[transformer-bf16]"
)
WHY = "In bfloat16 an example that moves within its batch drops other numbers."


def mutate(monkeypatch):
    original = Model.losses

    def losses(self, batch, chance):
        if self.precision == "bf16":
            batch = replace(batch, index=torch.arange(batch.count))
        return original(self, batch, chance)

    monkeypatch.setattr(Model, "losses", losses)
