"""Candidates whose log-probabilities are renormalised over the ids that are allowed."""

import math

import pipeline.decoding.candidates as candidates

LAW = "score"
TEST = "tests/laws/test_score.py::test_nothing_banned_is_found_and_nothing_is_renormalised_for_it"
WHY = "What the banned ids would have had is shared out, so a score is no longer the model's."


def mutate(monkeypatch):
    original = candidates.best

    def best(log_probs, totals, forced, places):
        allowed = log_probs.clone()
        allowed[:, :, :3] = -math.inf
        return original(allowed.log_softmax(-1), totals, forced, places)

    monkeypatch.setattr(candidates, "best", best)
