"""Arrays, which training encodes, are stripped otherwise than single texts, which are served."""

import pyarrow.compute as pc

from pipeline.normalise import Normaliser

LAW = "round trip"
TEST = "tests/laws/test_round_trip.py::test_a_batch_gives_a_text_the_ids_that_it_has_alone"
WHY = "The same text has other ids in training than in serving."


def mutate(monkeypatch):
    monkeypatch.setattr(Normaliser, "array", lambda self, texts: pc.utf8_trim_whitespace(texts))
