"""A last norm on top of blocks that end in one."""

import pipeline.models.transformer as transformer

LAW = "reference"
TEST = "tests/laws/test_reference_of_transformer.py::test_whole_stacks_with_their_last_norms[False]"
WHY = "With norms last, the stack's output goes through another one."


def mutate(monkeypatch):
    settings = transformer.TransformerSettings
    monkeypatch.setattr(settings, "make_last_norm", settings.make_norm)
