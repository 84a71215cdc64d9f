"""A normaliser that composes letters before it removes what stands between letter and mark."""

import unicodedata

from pipeline.normalise import Normaliser

LAW = "round trip"
TEST = "tests/laws/test_round_trip.py::test_normalising_twice_is_normalising_once"
WHY = "The first pass brings letter and mark together, and only a second one composes them."


def mutate(monkeypatch):
    original = Normaliser.text

    def text(self, text):
        plain = self.model_copy(update={"form": "none"})
        composed = unicodedata.normalize("NFC", text) if self.form != "none" else text
        return original(plain, composed)

    monkeypatch.setattr(Normaliser, "text", text)
