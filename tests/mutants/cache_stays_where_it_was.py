"""A selection that leaves the cache where it was."""

import pipeline.models.cache as cache

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass[transformer-0]"
WHY = "A hypothesis that changes its place goes on with the keys of whoever stood there."


def mutate(monkeypatch):
    original = cache.Cache.select

    def select(self, sources, beams):
        if sources is None and beams.shape == self.bias.shape[:2]:
            return self
        return original(self, sources, beams)

    monkeypatch.setattr(cache.Cache, "select", select)
