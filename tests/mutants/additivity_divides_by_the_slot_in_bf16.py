"""In bfloat16 each slot's sum is divided by its own count."""

import pipeline.training.step as step

LAW = "additivity"
TEST = (
    "tests/laws/test_additivity.py::test_slots_change_no_more_than_rounding_does[transformer-bf16]"
)
WHY = "In the precision of production a mean of means is taken."


def mutate(monkeypatch):
    original = step.backward

    def backward(model, share, counts, chance, *last):
        if model.inner.precision != "bf16":
            return original(model, share, counts, chance, *last)
        total = {}
        for batch in share:
            for term, value in original(model, [batch], model.counts(batch), chance).items():
                total[term] = total.get(term, 0) + value
        return total

    monkeypatch.setattr(step, "backward", backward)
