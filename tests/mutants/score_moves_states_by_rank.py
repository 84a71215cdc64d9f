"""A beam search that moves the state by rank instead of by origin."""

import torch

import pipeline.decoding.live as live

LAW = "score"
TEST = (
    "tests/laws/test_score.py::"
    "test_a_score_is_the_normalised_sum_of_the_models_own_log_probabilities"
)
WHY = "A hypothesis goes on with the state of another one, so its score is of another text."


def mutate(monkeypatch):
    original = live.Live.select

    def select(self, sources, order, beams, going):
        rank = torch.arange(beams.shape[1]).expand_as(beams).minimum(beams.max())
        return original(self, sources, order, rank, going)

    monkeypatch.setattr(live.Live, "select", select)
