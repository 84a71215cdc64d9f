"""The more workers, the larger a group."""

from dataclasses import replace

from pipeline.training.loop import Course

LAW = "resume"
TEST = "tests/laws/test_resume.py::test_another_number_of_workers_keeps_the_order_of_the_data"
WHY = "Who goes on with other workers finds other examples in each step."


def mutate(monkeypatch):
    original = Course.shares

    def shares(self, start, rank, workers):
        plan = replace(self.plan, tokens_per_step=self.plan.tokens_per_step * workers)
        return original(replace(self, plan=plan), start, rank, workers)

    monkeypatch.setattr(Course, "shares", shares)
