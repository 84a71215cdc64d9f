import math

import pytest
import torch

from pipeline.models.layout import Layout
from pipeline.models.packed import Packing

CPU = torch.device("cpu")


def test_a_layout_knows_where_positions_lie():
    layout = Layout((3, 1), CPU)
    assert layout.sequence.tolist() == [0, 0, 0, 1]
    assert layout.position.tolist() == [0, 1, 2, 0]
    assert layout.mask.tolist() == [[True, True, True], [True, False, False]]
    assert layout.pad(torch.tensor([7, 8, 9, 5])).tolist() == [[7, 8, 9], [5, 0, 0]]


@pytest.mark.parametrize(
    ("lengths", "multiple"), [((3, 1, 4), 1), ((3, 1), 5), ((2, 2), 1), ((1,), 1)]
)
def test_padding_and_heads_are_undone_and_so_are_their_gradients(lengths, multiple):
    layout = Layout(lengths, CPU, multiple)
    flat = torch.randn(layout.positions, 6, dtype=torch.float64, requires_grad=True)
    assert torch.equal(layout.unpad(layout.pad(flat)), flat)
    assert torch.autograd.gradcheck(lambda x: layout.unpad(layout.pad(x).exp()), (flat,))
    (heads,) = layout.split_heads(flat, 3)
    assert heads.shape == (len(lengths), 3, max(multiple, max(lengths)), 2)
    assert torch.equal(layout.join_heads(heads), flat)
    assert torch.autograd.gradcheck(
        lambda x: layout.join_heads(math.prod(layout.split_heads(x, 2, 2, 2))), (flat,)
    )


def test_heads_lie_as_the_stacked_map_gives_them():
    layout = Layout((2, 1), CPU)
    flat = torch.arange(3 * 8).view(3, 8)  # two parts of two heads of two channels
    first, second = layout.split_heads(flat, 2, 2)
    assert first[0].tolist() == [[[0, 1], [8, 9]], [[2, 3], [10, 11]]]
    assert second[1, :, 0].tolist() == [[20, 21], [22, 23]]
    assert second[1, :, 1].tolist() == second[1, :, 0].tolist()  # padded with a real row


def test_parts_may_have_fewer_heads_than_others():
    layout = Layout((1, 2), CPU)
    flat = torch.arange(3 * 8).view(3, 8)  # two heads of queries, one of keys, one of values
    queries, keys, values = layout.split_heads(flat, 2, 1, 1)
    assert queries[1].tolist() == [[[8, 9], [16, 17]], [[10, 11], [18, 19]]]
    assert keys[:, 0, 0].tolist() == [[4, 5], [12, 13]]
    assert values[1, 0].tolist() == [[14, 15], [22, 23]]
    assert torch.equal(layout.join_heads(queries), flat[:, :4])
    wide = torch.randn(3, 8, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda x: layout.join_heads(math.prod(layout.split_heads(x, 2, 1, 1))), (wide,)
    )


def test_packing_puts_the_longest_first_and_drops_padding():
    layout = Layout((1, 3), CPU)
    ahead, back = Packing(layout), Packing(layout, backward=True)
    flat = torch.tensor([10, 20, 21, 22])
    assert ahead.counts == (2, 1, 1)
    assert ahead.pack(flat).tolist() == [20, 10, 21, 22]
    assert back.pack(flat).tolist() == [22, 10, 21, 20]
    assert back.unpack(back.pack(flat)).tolist() == flat.tolist()
