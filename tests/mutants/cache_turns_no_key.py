"""A rotary search whose keys are kept unturned."""

import pipeline.models.multihead as multihead

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_one_step_is_the_forced_pass[transformer, modern]"
WHY = "A step turns its query, and the key that goes into the cache stays at position 0."


def mutate(monkeypatch):
    original = multihead.SelfAttention.step_inputs

    def step_inputs(self, vectors, turns=None):
        query, _, _ = original(self, vectors, turns)
        _, key, value = original(self, vectors)
        return query, key, value

    monkeypatch.setattr(multihead.SelfAttention, "step_inputs", step_inputs)
