"""A selection that leaves the cache where it was."""

import pipeline.models.state as state

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass"
WHY = "A hypothesis that changes its place goes on with the keys of whoever stood there."


def mutate(monkeypatch):
    original = state.DecoderState._gather

    def gather(self, rows):
        if self.cache is not None and len(rows) == self.cache.shape[2]:
            return self.cache
        return original(self, rows)

    monkeypatch.setattr(state.DecoderState, "_gather", gather)
