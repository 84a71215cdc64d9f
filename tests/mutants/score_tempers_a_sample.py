"""Samples whose scores are those of the tempered distribution."""

import pipeline.decoding.sampling as sampling

LAW = "score"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_a_score_is_the_models_own_whatever_was_struck_out[search1-none]"
)
WHY = "A sample is scored by what it was drawn from, which is not the model's distribution."


def mutate(monkeypatch):
    original = sampling.Sampling._take

    def take(self, model, live, places, step, numbers):
        class Tempered:
            def advance(_, ids, state):
                log_probs, attention, after = model.advance(ids, state)
                return (log_probs / self.temperature).log_softmax(-1), attention, after

        plain = self.model_copy(update={"temperature": 1.0})
        return original(plain, Tempered(), live, places, step, numbers)

    monkeypatch.setattr(sampling.Sampling, "_take", take)
