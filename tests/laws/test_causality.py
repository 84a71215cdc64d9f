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


def up_to(flat, t, sources):
    """The positions 0 … t of each source."""
    return flat.view(sources, -1, flat.shape[1])[:, : t + 1]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("t", [0, 2])
def test_what_comes_later_changes_no_more_than_rounding_does(tiny, combination, precision, t):
    """Rounding: what the precision does to the same positions without anything after them."""
    sources = [source for source, _ in tiny.examples(6)]
    rough = tiny.model_of(combination, precision=precision)
    models = rough, tiny.exact(rough)
    short = tiny.batch([(source, TARGET[:t]) for source in sources])
    (flat, attention), (true, _) = (tiny.log_probs(m, short, tiny.CHANCE) for m in models)
    noise = float((flat - true).norm())
    assert noise > 0
    for later in ([10, 10, 10], [4, 10, 4, 10, 4, 10, 4]):
        longer = tiny.batch([(source, TARGET[:t] + later) for source in sources])
        for ours, theirs in zip(
            (flat, attention), tiny.log_probs(rough, longer, tiny.CHANCE), strict=True
        ):
            difference = up_to(theirs, t, len(sources)) - up_to(ours, t, len(sources))
            assert float(difference.norm()) <= 4 * noise
