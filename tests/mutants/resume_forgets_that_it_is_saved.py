"""A resumed run does not know that the state it begins with is saved."""

from pipeline.training.writer import Writer

LAW = "resume"
TEST = (
    "tests/training/test_writer.py::"
    "test_a_wish_that_waits_right_after_resuming_leaves_the_planned_checkpoint_planned"
)
WHY = "A planned checkpoint becomes unplanned, and the run goes back further than undisturbed."


def mutate(monkeypatch):
    original = Writer.resume

    def resume(self):
        name = original(self)
        self._saved_groups = -1
        return name

    monkeypatch.setattr(Writer, "resume", resume)
