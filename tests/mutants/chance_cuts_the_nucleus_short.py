"""A nucleus without the id that passes its share."""

import pipeline.decoding.sampling as sampling

LAW = "chance"
TEST = (
    "tests/laws/test_chance_of_sampling.py::"
    "test_a_nucleus_is_the_fewest_ids_that_hold_the_share[0.6]"
)
WHY = "The ids that are left hold less than top_p, so the last one is never drawn."


def mutate(monkeypatch):
    def draw(self, log_probs, numbers):
        ordered = log_probs.double().log_softmax(-1).sort(dim=2, descending=True)
        weights = ordered.values.exp()
        weights = weights * (weights.cumsum(2) < self.top_p)
        return ordered.indices.gather(2, sampling.passed(weights, numbers)[:, :, None])[:, :, 0]

    monkeypatch.setattr(sampling.Sampling, "_draw", draw)
