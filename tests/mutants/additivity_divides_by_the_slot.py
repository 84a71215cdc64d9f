"""Each slot's sum is divided by its own count."""

import pipeline.training.step as step

LAW = "additivity"
TEST = "tests/laws/test_additivity.py::test_one_slot_gives_the_gradient_of_many[transformer]"
WHY = "A mean of means weighs the examples of small slots more."


def mutate(monkeypatch):
    original = step.backward

    def backward(model, share, counts, chance, *last):
        total = {}
        for batch in share:
            for term, value in original(model, [batch], model.counts(batch), chance).items():
                total[term] = total.get(term, 0) + value
        return total

    monkeypatch.setattr(step, "backward", backward)
