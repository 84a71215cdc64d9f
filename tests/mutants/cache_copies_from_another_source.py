"""Sources' ids that stay where they were while a search goes on."""

import pipeline.models.state as state

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass[gru, copying-0]"
WHY = "When a source leaves the batch, the others copy from ids that are not theirs."


def mutate(monkeypatch):
    original = state.DecoderState.select

    def select(self, sources, beams):
        after = original(self, sources, beams)
        if sources is not None and "source ids" in self.fixed:
            after.fixed["source ids"] = self.fixed["source ids"][: len(sources)]
        return after

    monkeypatch.setattr(state.DecoderState, "select", select)
