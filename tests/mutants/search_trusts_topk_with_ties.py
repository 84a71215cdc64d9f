"""Candidates that never look whether topk had to choose among equals."""

import torch

import pipeline.decoding.candidates as candidates

LAW = "search"
TEST = "tests/decoding/test_candidates.py::test_they_are_those_of_a_full_sort[3-1-2000]"
WHY = "Of equal sums at the edge those that topk happens to give are taken."


def mutate(monkeypatch):
    def uncertain(last, unseen):
        return torch.zeros_like(last, dtype=torch.bool)

    monkeypatch.setattr(candidates, "_uncertain", uncertain)
