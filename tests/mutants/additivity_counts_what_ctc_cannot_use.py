"""A loss whose count takes in examples that it cannot use."""

import pipeline.models.ctc as ctc

LAW = "additivity"
TEST = (
    "tests/laws/test_additivity.py::"
    "test_terms_of_the_models_own_add_up_however_a_group_is_cut[frames]"
)
WHY = "Examples with fewer states than labels make the mean of the others smaller."


def mutate(monkeypatch):
    monkeypatch.setattr(
        ctc.CTCLoss, "counts", lambda self, batch, states: {"ctc": batch.target.count}
    )
