"""Law: an output at t does not depend on ids after t."""

import pytest

SOURCE = [4, 5, 6, 3]
TARGET = [5, 6, 7, 8, 9]


@pytest.mark.parametrize("t", [0, 2, 4])
def test_what_comes_later_changes_nothing(tiny, combination, t):
    model = tiny.model_of(combination)
    flat, attention = tiny.log_probs(model, tiny.batch([(SOURCE, TARGET)]), tiny.CHANCE)
    for later in ([10] * (5 - t), [], [4, 10, 4, 10, 4, 10, 4]):
        other = tiny.batch([(SOURCE, TARGET[:t] + later)])
        changed, looked = tiny.log_probs(model, other, tiny.CHANCE)
        assert tiny.largest(flat[: t + 1], changed[: t + 1]) < 1e-9
        assert tiny.largest(attention[: t + 1], looked[: t + 1]) < 1e-9


def test_what_came_before_matters(tiny, combination):
    model = tiny.model_of(combination)
    flat, _ = tiny.log_probs(model, tiny.batch([(SOURCE, TARGET)]))
    changed, _ = tiny.log_probs(model, tiny.batch([(SOURCE, [10, *TARGET[1:]])]))
    assert float((flat[1:] - changed[1:]).abs().amax(1).min()) > 1e-6
