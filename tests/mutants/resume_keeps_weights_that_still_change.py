"""What the writer's thread is given is not copied."""

import pipeline.training.writer as writer

LAW = "resume"
TEST = (
    "tests/training/test_writer.py::"
    "test_steps_go_on_while_a_checkpoint_is_written_and_it_holds_what_it_was_given"
)
WHY = "A checkpoint holds the weights of later steps under the state of an earlier one."


def mutate(monkeypatch):
    monkeypatch.setattr(writer, "copied", dict)
