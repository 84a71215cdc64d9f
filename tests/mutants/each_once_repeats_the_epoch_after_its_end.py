"""A run that stopped at an epoch's end starts it again."""

from dataclasses import replace

from pipeline.batches.plan import Plan

LAW = "each once"
TEST = (
    "tests/laws/test_each_once.py::"
    "test_walking_from_any_position_gives_what_walking_from_the_start_gives[one window]"
)
WHY = "The position after the last group names the same epoch."


def mutate(monkeypatch):
    original = Plan._after

    def after(self, epoch, window, group, groups):
        return replace(original(self, epoch, window, group, groups), epoch=epoch)

    monkeypatch.setattr(Plan, "_after", after)
