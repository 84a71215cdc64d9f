"""A backward recurrence that starts at the end of the padding's length, not of the sequence."""

import pipeline.models.packed as packed

LAW = "padding"
TEST = "tests/laws/test_padding.py::test_losses_and_gradients_add_up_whatever_lies_side_by_side"
WHY = "The backward direction of a short source is packed as if it were read from the front."


def mutate(monkeypatch):
    original = packed.Packing.__init__

    def initialise(self, layout, *, backward=False):
        original(self, layout, backward=backward and layout.full)

    monkeypatch.setattr(packed.Packing, "__init__", initialise)
