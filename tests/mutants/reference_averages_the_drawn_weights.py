"""A moving average without the correction of its beginning."""

from pipeline.training.moving_average import MovingAverage

LAW = "reference"
TEST = "tests/laws/test_reference_of_lessons.py::test_the_average_is_the_sum_of_the_paper"
WHY = "The weights that were drawn count as if they had been trained."


def mutate(monkeypatch):
    def add(self):
        for name, parameter in self._parameters.items():
            self._average[name].lerp_(parameter.detach(), 1 - self.decay)

    monkeypatch.setattr(MovingAverage, "add", add)
