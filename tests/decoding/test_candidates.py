"""The best continuations against a full sort in plain Python, over several vocabularies."""

import math

import pytest
import torch

from pipeline.decoding import candidates


def plainly(log_probs, totals, forced, places):
    """[(sum, id, beam)] of one source, by the law of a step."""
    options = [
        (-(total + value), id, beam)
        for beam, (row, total) in enumerate(zip(log_probs, totals, strict=True))
        for id, value in enumerate(row)
        if (id > 2 if forced < 0 else id == forced) and math.isfinite(total + value)
    ]
    return [(-cost, id, beam) for cost, id, beam in sorted(options)[:places]]


@pytest.mark.parametrize("vocabulary", [5, 9, 64, 300, 2000, 2048])
@pytest.mark.parametrize("levels", [None, 1, 4])
@pytest.mark.parametrize("places", [1, 3])
def test_they_are_those_of_a_full_sort(vocabulary, levels, places):
    generator = torch.Generator().manual_seed(vocabulary + places)
    shape = (4, 3, vocabulary)
    log_probs = torch.randn(shape, generator=generator).log_softmax(-1)
    totals = torch.randn((4, 3), generator=generator, dtype=torch.float64)
    if levels is not None:
        log_probs, totals = (log_probs * levels).round() / levels, totals.round()
    totals[1, 2] = -math.inf  # an empty place
    forced = torch.tensor([-1, -1, 1, -1])
    sums, ids, beams = candidates.best(log_probs, totals, forced, places)
    for source in range(4):
        found = zip(*(x[source].tolist() for x in (sums, ids, beams)), strict=True)
        expected = plainly(
            log_probs[source].double().tolist(),
            totals[source].tolist(),
            int(forced[source]),
            places,
        )
        assert [one for one in found if math.isfinite(one[0])] == expected


def test_sums_may_tie_where_log_probabilities_do_not():
    """1e-20 is lost in a sum of size 1: then the lower id goes first."""
    log_probs = torch.full((1, 1, 40), -5.0, dtype=torch.float64)
    log_probs[0, 0, 20:30] = torch.linspace(-1e-20, -1e-21, 10, dtype=torch.float64)
    totals = torch.full((1, 1), -1.0, dtype=torch.float64)
    sums, ids, _ = candidates.best(log_probs, totals, None, 3)
    assert ids.tolist() == [[20, 21, 22]]
    assert sums.tolist() == [[-1.0, -1.0, -1.0]]


@pytest.mark.parametrize("places", [1, 3])
def test_what_is_banned_is_never_in_the_way(places):
    """Ids that must not be said are the most probable in the best blocks."""
    log_probs = torch.randn((2, 3, 1000), generator=torch.Generator().manual_seed(2))
    log_probs[:, :, :3] += 50
    totals = torch.zeros((2, 3), dtype=torch.float64)
    sums, ids, beams = candidates.best(log_probs, totals, None, places)
    for source in range(2):
        expected = plainly(log_probs[source].double().tolist(), [0.0] * 3, -1, places)
        found = zip(*(x[source].tolist() for x in (sums, ids, beams)), strict=True)
        assert list(found) == expected
