"""Samples keyed by the row of the batch."""

import torch

import pipeline.decoding.sampling as sampling

LAW = "batch"
TEST = (
    "tests/laws/test_batch_of_search.py::"
    "test_alone_in_any_order_or_in_company_a_source_gets_the_same_n_best[None-sampling]"
)
WHY = "A source draws other numbers at another row of a batch."


def mutate(monkeypatch):
    def fingerprints(source):
        return torch.arange(source.count)

    monkeypatch.setattr(sampling, "fingerprints", fingerprints)
