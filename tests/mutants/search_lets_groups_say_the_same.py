"""Groups of a diverse beam that do not hear each other."""

import pipeline.decoding.diverse as diverse

LAW = "search"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_diverse_beam_is_the_plain_one[4-2-0.7-constraint0]"
)
WHY = "What an earlier group said costs a later one nothing, so all find the same."


def mutate(monkeypatch):
    original = diverse.DiverseBeam._choose

    def choose(self, log_probs, live, forced, free):
        deaf = self.model_copy(update={"strength": 0.0})
        return original(deaf, log_probs, live, forced, free)

    monkeypatch.setattr(diverse.DiverseBeam, "_choose", choose)
