"""A backward recurrence that reads from the front where there is padding."""

import pipeline.models.packed as packed

LAW = "padding"
TEST = (
    "tests/laws/test_padding.py::test_losses_and_gradients_add_up_whatever_lies_side_by_side[gru]"
)
WHY = "A source is read from its end or from its front, as its neighbours are as long or not."


def mutate(monkeypatch):
    original = packed.Packing.__init__

    def initialise(self, layout, *, backward=False):
        original(self, layout, backward=backward and layout.full)

    monkeypatch.setattr(packed.Packing, "__init__", initialise)
