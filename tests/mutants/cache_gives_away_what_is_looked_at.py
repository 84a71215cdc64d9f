"""A cache that asks the first hypothesis alone which columns are free."""

import torch

import pipeline.models.cache as cache

LAW = "cache"
TEST = "tests/laws/test_cache.py::test_any_walk_of_selections_is_the_forced_pass[transformer-0]"
WHY = "What the other hypotheses of a source said is overwritten while they still look at it."


def mutate(monkeypatch):
    def taken(self):
        seen = (self.bias[:, 0] == 0).long()
        more = max(0, int(seen.sum(1).max()) + self.bias.shape[1] - seen.shape[1])
        return torch.nn.functional.pad(seen, (0, more)), more

    monkeypatch.setattr(cache.Cache, "_taken", taken)
