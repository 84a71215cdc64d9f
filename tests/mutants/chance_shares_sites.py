"""Sites that all have the same number."""

import pipeline.models.dropout as dropout

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_masks_differ_by_seed_step_example_site_and_position"
WHY = "Every layer drops the same channels of a position."


def mutate(monkeypatch):
    original = dropout.salted

    def salted(keys, salt):
        return keys if isinstance(salt, int) and 0 < salt < 100 else original(keys, salt)

    monkeypatch.setattr(dropout, "salted", salted)
