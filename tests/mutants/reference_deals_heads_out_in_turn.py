"""Queries' heads that take the shared keys in turn, instead of neighbours sharing one."""

import pipeline.models.scaled_dot as scaled_dot

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_transformer.py::test_attention_of_grouped_heads_and_its_gradients"
)
WHY = "Head 1 of four reads the second group's keys instead of the first's."


def mutate(monkeypatch):
    def grouped(rows, groups):
        turns = rows.unflatten(1, (-1, groups)).transpose(1, 2)
        return turns.reshape(rows.shape[0], groups, -1, rows.shape[3])

    monkeypatch.setattr(scaled_dot, "_grouped", grouped)
