"""Drawn segmentations lose characters that are no piece."""

import pipeline.pieces.bpe_dropout as bpe_dropout

LAW = "round trip"
TEST = "tests/laws/test_round_trip.py::test_drawn_segmentations_lose_nothing[bpe_dropout]"
WHY = "What would be spelt in bytes is left out."


def mutate(monkeypatch):
    def numbers(processor, scores, piece):
        return [processor.piece_to_id(piece)] if piece in scores else []

    monkeypatch.setattr(bpe_dropout, "_numbers", numbers)
