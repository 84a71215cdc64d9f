"""Sources that leave the batch, and columns that nobody moves into their places."""

import pipeline.models.cache as cache

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass[transformer-0]"
WHY = "Who takes the place of a source that left goes on with that one's keys."


def mutate(monkeypatch):
    monkeypatch.setattr(cache.Cache, "_move", lambda self, sources: None)
