"""Pieces that take a text's own ▁ for SentencePiece's sign of a space."""

import pipeline.pieces.pieces as pieces

LAW = "round trip"
TEST = "tests/laws/test_round_trip.py::test_nothing_is_lost_between_text_and_ids"
WHY = "A ▁ in a text comes back as a space."


def mutate(monkeypatch):
    monkeypatch.setattr(pieces, "escape", lambda text: text)
