"""Heads that all have the key of their position."""

import pipeline.models.scaled_dot as scaled_dot

LAW = "chance"
TEST = "tests/laws/test_chance.py::test_the_heads_of_one_attention_drop_other_probabilities"
WHY = "All heads of an attention drop the same probabilities, as one head would."


def mutate(monkeypatch):
    def salted(keys, heads):
        return keys.expand(keys.shape[0], len(heads), keys.shape[2])

    monkeypatch.setattr(scaled_dot, "salted", salted)
