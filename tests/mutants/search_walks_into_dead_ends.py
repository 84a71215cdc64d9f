"""An automaton that does not count the ids that are left."""

import pipeline.decoding.automata as automata

LAW = "search"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_what_is_allowed_is_found_in_any_number_of_places"
)
WHY = "A way is taken that cannot end before the limit, where EOS cuts it to what is not allowed."


def mutate(monkeypatch):
    original = automata.Automaton.allows

    def allows(self, states, left):
        return original(self, states, left * 0 + automata.FAR - 1)

    monkeypatch.setattr(automata.Automaton, "allows", allows)
