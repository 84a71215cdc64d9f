"""How a share was cut for want of memory is remembered by the process, for the next step."""

import pipeline.training.step as step

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_stopped_where_memory_is_short_and_continued"
WHY = "A run that is started again cuts otherwise, and adds in another order."


def mutate(monkeypatch):
    original, cut = step.fitted, []

    def fitted(share, work):
        slots = [part for slot in share for part in slot.split([1] * slot.count)] if cut else share
        sums, cuts = original(slots, work)
        cut.extend(range(cuts))
        return sums, cuts

    monkeypatch.setattr(step, "fitted", fitted)
