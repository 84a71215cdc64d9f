"""Samples of a source that all draw the same numbers."""

import pipeline.decoding.sampling as sampling

LAW = "chance"
TEST = (
    "tests/laws/test_chance_of_sampling.py::"
    "test_samples_differ_by_seed_source_and_number_and_by_nothing_else"
)
WHY = "A source's samples are all one sample."


def mutate(monkeypatch):
    original = sampling.Sampling._keys

    def keys(self, source):
        mine = original(self, source)
        return mine[:, :1].expand_as(mine)

    monkeypatch.setattr(sampling.Sampling, "_keys", keys)
