"""A rate in 256ths."""

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_masks_have_the_stated_rate_in_every_channel[0.01]"
WHY = "A rate of 0.01 becomes 3/256."


def mutate(monkeypatch):
    monkeypatch.setattr(dropout, "quantised", lambda rate: round(rate * 256) * 256)
