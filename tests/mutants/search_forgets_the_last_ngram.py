"""N-grams that are looked for among all but the last."""

import pipeline.decoding.constraints as constraints

LAW = "search"
TEST = (
    "tests/laws/test_search_of_constraints.py::"
    "test_beam_with_places_for_everything_is_enumeration[sum-no pair twice]"
)
WHY = "An n-gram may come again at once, as 4 4 in 4 4 4, since the last one is not looked at."


def mutate(monkeypatch):
    def unrepeated(may, history, n):
        said = history.unfold(2, n, 1)
        tail = history[:, :, None, history.shape[2] - n + 1 :]
        again = (said[..., :-1] == tail).all(3)
        again[:, :, -1:] = False
        return may.scatter(2, said[..., -1].where(again, 0), False)

    monkeypatch.setattr(constraints, "_unrepeated", unrepeated)
