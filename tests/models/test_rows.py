"""Which rows of hypotheses a step works on."""

import pytest
import torch

from pipeline.models.rows import rows_of

E = 3  # EOS


def test_only_live_hypotheses_have_rows():
    rows = rows_of(torch.tensor([[4, 5, E], [E, E, 6]]), steady=False)
    values = torch.arange(6).view(2, 3)
    assert rows.gather(values).tolist() == [0, 1, 5]
    assert rows.spread(rows.gather(values)).tolist() == [[0, 1, 1], [1, 1, 5]]


@pytest.mark.parametrize(
    ("ids", "steady"),
    [
        ([[4, E]], True),  # shapes must not depend on who lives
        ([[E, E]], False),  # there would be nothing left to work on
        ([[4] * 8, [E, *[4] * 7]], False),  # too few to be worth a copy
        ([[4, 5]], False),
    ],
)
def test_all_places_have_rows(ids, steady):
    rows = rows_of(torch.tensor(ids), steady=steady)
    assert rows.full
    values = torch.arange(rows.shape.numel()).view(rows.shape)
    assert torch.equal(rows.spread(rows.gather(values)), values)
