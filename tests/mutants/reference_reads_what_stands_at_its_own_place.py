"""Predictions are read where they were made, not one place on."""

import pipeline.models.scheduled_sampling as scheduled_sampling

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_lessons.py"
    "::test_with_sampling_only_the_second_pass_reads_the_predictions_of_the_first[gru]"
)
WHY = "The second pass reads at each place what it is to write there."


def mutate(monkeypatch):
    monkeypatch.setattr(scheduled_sampling, "_shifted", lambda ids: ids)
