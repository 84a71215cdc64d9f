"""A step whose terms all count the same."""

import pipeline.training.step as step

LAW = "gradient"
TEST = (
    "tests/laws/test_gradient.py::"
    "test_a_steps_gradient_is_the_central_difference_of_the_groups_loss[transformer]"
)
WHY = "Each term's sum is divided by its count, and not multiplied by its weight."


def mutate(monkeypatch):
    original = step.backward

    def backward(model, share, counts, chance, *last):
        weighted = {term: count * model.weights[term] for term, count in counts.items()}
        return original(model, share, weighted, chance, *last)

    monkeypatch.setattr(step, "backward", backward)
