"""Every epoch is shuffled alike."""

import pipeline.batches.plan as plan

LAW = "each once"
TEST = "tests/laws/test_each_once.py::test_the_order_differs_between_epochs_and_seeds[one window]"
WHY = "Groups of the first epoch come again and again."


def mutate(monkeypatch):
    original = plan._random
    monkeypatch.setattr(plan, "_random", lambda seed, epoch, purpose: original(seed, 0, purpose))
