"""Law (models): permuting or regrouping a batch permutes the results, dropout on."""

import pytest


@pytest.fixture
def model(tiny, combination):
    return tiny.model_of(combination)


def parts(tiny, model, pairs, index):
    """Each example's logits, by its index in the group."""
    batch = tiny.batch(pairs, index)
    flat, _ = tiny.log_probs(model, batch, tiny.CHANCE)
    return dict(zip(index, tiny.by_example(flat, batch.target.lengths), strict=True))


def test_permuting_a_batch_permutes_the_logits(tiny, model):
    pairs, order = tiny.examples(5), [3, 1, 4, 0, 2]
    straight = parts(tiny, model, pairs, [0, 1, 2, 3, 4])
    permuted = parts(tiny, model, [pairs[i] for i in order], order)
    assert tiny.largest(straight, permuted) < 1e-9


@pytest.mark.parametrize("cuts", [[[0, 1, 2, 3, 4]], [[4, 0], [2], [3, 1]], [[2, 1], [0, 3, 4]]])
def test_regrouping_changes_no_gradient(tiny, model, cuts):
    pairs = tiny.examples(5)
    expected = tiny.gradients(model, [tiny.batch(pairs)])
    batches = [tiny.batch([pairs[i] for i in cut], cut) for cut in cuts]
    found = tiny.gradients(model, batches)
    assert found[0] == pytest.approx(expected[0], abs=1e-9)
    assert tiny.largest(found[1], expected[1]) < 1e-9


def test_counts_add_up(tiny, model):
    pairs = tiny.examples(5)
    whole = model.counts(tiny.batch(pairs))
    halves = [model.counts(tiny.batch(half)) for half in (pairs[:2], pairs[2:])]
    assert whole == {term: halves[0][term] + halves[1][term] for term in whole}
    assert whole["cross_entropy"] == sum(len(target) + 1 for _, target in pairs)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_regrouping_changes_no_more_than_rounding_does(tiny, combination, precision):
    """Rounding: what the precision does to the gradient of the same batch in its own order."""
    pairs = tiny.examples(5)
    rough = tiny.model_of(combination, precision=precision)
    models = rough, tiny.exact(rough)
    straight, true = (tiny.gradients(model, [tiny.batch(pairs)])[1] for model in models)
    noise = tiny.distance(straight, true)
    assert noise > 0
    for cuts in ([[3, 1, 4, 0, 2]], [[4, 0], [2], [3, 1]]):
        batches = [tiny.batch([pairs[i] for i in cut], cut) for cut in cuts]
        _, found = tiny.gradients(rough, batches)
        assert tiny.distance(found, straight) <= 4 * noise
