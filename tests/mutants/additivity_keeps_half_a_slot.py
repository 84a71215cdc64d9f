"""What a slot had added before memory was short stays in the gradient."""

import pipeline.training.step as step
from pipeline.training.gradient import Gradient

LAW = "additivity"
TEST = (
    "tests/laws/test_additivity.py::"
    "test_slots_cut_where_memory_is_short_take_the_same_steps[transformer]"
)
WHY = "The share is begun again on top of what was added, and counts its first slots twice."


def mutate(monkeypatch):
    original = step.fitted

    def fitted(share, work):
        tried = []

        def again(slots):
            with monkeypatch.context() as inner:
                if tried:
                    inner.setattr(Gradient, "clear", lambda self: None)
                tried.append(slots)
                return work(slots)

        return original(share, again)

    monkeypatch.setattr(step, "fitted", fitted)
