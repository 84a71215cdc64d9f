"""Dropout that goes on in evaluation."""

import pipeline.models.seq2seq as seq2seq
from pipeline.models.dropout import example_keys
from pipeline.models.seam import Chance

LAW = "chance"
TEST = (
    "tests/laws/test_chance.py"
    "::test_steps_draw_differently_and_evaluation_draws_nothing[transformer]"
)
WHY = "Without a chance, that of step 0 is taken."


def mutate(monkeypatch):
    def always(chance, index):
        return example_keys(chance or Chance(0, 0), index)

    monkeypatch.setattr(seq2seq, "example_keys", always)
