"""A source reversal that reads from the front after all."""

from pipeline.models.packed import Packing
from pipeline.models.recurrent_encoder import RecurrentEncoderSettings

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_recurrence.py::test_a_reversed_source_is_read_from_its_end[rnn]"
)
WHY = "The parameter is accepted and changes nothing."


def mutate(monkeypatch):
    original = RecurrentEncoderSettings.packings

    def packings(self, layout):
        return original(self, layout) if self.bidirectional else (Packing(layout),)

    monkeypatch.setattr(RecurrentEncoderSettings, "packings", packings)
