"""General attention that forgets the scale it was asked for."""

import pipeline.models.general as general

LAW = "reference"
TEST = (
    "tests/laws/test_reference_of_recurrence.py::test_attention_by_products_is_torchs[general-True]"
)
WHY = "With `scaled: true` scores are as large as without."


def mutate(monkeypatch):
    original = general.GeneralAttention.__init__

    def init(self, units, width, scale):
        original(self, units, width, 1.0)

    monkeypatch.setattr(general.GeneralAttention, "__init__", init)
