"""Who stays when sources leave the batch, and where."""

import pytest
import torch

from pipeline.decoding.live import kept


@pytest.mark.parametrize(
    ("stay", "expected"),
    [
        ([True, True], None),
        ([True, False, True, True], [0, 3, 2]),
        ([False, False, True, True, False, True], [3, 5, 2]),
        ([True, True, False], [0, 1]),
        ([False, False], []),
    ],
)
def test_the_last_ones_take_the_places_of_those_that_leave(stay, expected):
    found = kept(torch.tensor(stay))
    assert (found if found is None else found.tolist()) == expected
