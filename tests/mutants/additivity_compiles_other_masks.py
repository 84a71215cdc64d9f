"""The compiled hash gives the halves of a number in the other order."""

import pipeline.models.dropout as dropout

LAW = "additivity"
TEST = "tests/laws/test_additivity_compiled.py::test_a_compiled_mask_is_the_same"
WHY = "A compiled step drops the neighbours of what a step without a compiler drops."


def mutate(monkeypatch):
    original = dropout._fused

    def fused(rows, constants):
        return original(rows, constants).unflatten(-1, (-1, 2)).flip(-1).flatten(-2)

    monkeypatch.setattr(dropout, "_fused", fused)
