"""The first slot goes to the first two workers."""

import pipeline.batches.slots as slots

LAW = "each once"
TEST = "tests/laws/test_each_once.py::test_slots_hold_every_example_of_a_group_once[37-2]"
WHY = "Its examples count twice in the step."


def mutate(monkeypatch):
    original = slots._share

    def share(cut, costs, workers):
        shares = original(cut, costs, workers)
        shares[-1].append(shares[0][0])
        return shares

    monkeypatch.setattr(slots, "_share", share)
