"""A variational mask that belongs to the place among the longest, not to the sequence."""

from pipeline.models.dropout import ExampleKeys
from pipeline.models.recurrence import Recurrence

LAW = "padding"
TEST = (
    "tests/laws/test_padding.py::test_losses_and_gradients_add_up_whatever_lies_side_by_side[lstm]"
)
WHY = "The keys stay in the order of the batch while the rows are packed."


def mutate(monkeypatch):
    original = Recurrence.forward

    def forward(self, vectors, start, packing, examples):
        if examples is not None:
            examples = ExampleKeys(examples.keys[packing.rank], examples.chance)
        return original(self, vectors, start, packing, examples)

    monkeypatch.setattr(Recurrence, "forward", forward)
