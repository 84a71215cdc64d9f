"""Law: more padding, or longer neighbours, changes no logit, loss or gradient, dropout on."""

import pytest

SHORT = ([4, 5, 3], [6])
LONG = ([7, 8, 9, 4, 5, 10, 3], [9, 8, 7, 6, 5, 4])


@pytest.fixture
def model(tiny, combination):
    return tiny.model_of(combination)


def test_a_longer_neighbour_changes_no_logit(tiny, model):
    alone, attention = tiny.log_probs(model, tiny.batch([SHORT]), tiny.CHANCE)
    both, wide = tiny.log_probs(model, tiny.batch([SHORT, LONG]), tiny.CHANCE)
    assert tiny.largest(alone, both[:2]) < 1e-9
    assert tiny.largest(attention, wide[:2, :3]) < 1e-9
    assert float(wide[:2, 3:].abs().max()) == 0


def test_losses_and_gradients_add_up_whatever_lies_side_by_side(tiny, model):
    pairs = tiny.examples(5)
    together = tiny.gradients(model, [tiny.batch(pairs)])
    apart = tiny.gradients(model, [tiny.batch([pair], [i]) for i, pair in enumerate(pairs)])
    assert together[0] == pytest.approx(apart[0], abs=1e-9)
    assert tiny.largest(together[1], apart[1]) < 1e-9


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_longer_neighbour_changes_no_more_than_rounding_does(tiny, combination, precision):
    """Rounding: what the precision does to the same gradient when it is computed alone."""
    pairs = tiny.examples(5)
    rough = tiny.model_of(combination, precision=precision)
    alone = [tiny.batch([pair], [i]) for i, pair in enumerate(pairs)]
    apart, true = (tiny.gradients(model, alone)[1] for model in (rough, tiny.exact(rough)))
    noise = tiny.distance(apart, true)
    assert noise > 0
    _, together = tiny.gradients(rough, [tiny.batch(pairs)])
    assert tiny.distance(together, apart) <= 4 * noise
