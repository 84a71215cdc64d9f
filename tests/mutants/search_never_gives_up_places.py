"""A beam search whose finished hypotheses do not give up their places."""

import pipeline.decoding.beam as beam

LAW = "search"
TEST = (
    "tests/laws/test_search.py::"
    "test_stopping_early_changes_nothing_of_what_plain_beam_search_finds[3-sum]"
)
WHY = "As many continuations live on after one has ended as before, so more are explored."


def mutate(monkeypatch):
    class Roomy(beam.Places):
        def __init__(self, sources, places, longest, device):
            super().__init__(sources, places * longest, longest, device)
            self.places = places

        def free(self, rows):
            return self.counts[rows] * 0 + self.places

    monkeypatch.setattr(beam, "Places", Roomy)
