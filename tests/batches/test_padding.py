"""Padding against the padded masks themselves."""

import numpy as np
import pytest
import torch

from pipeline.batches.padding import Extent, padding
from pipeline.models.layout import Layout


def test_three_and_one_side_by_side():
    one = np.array([3, 1])
    found = padding(one, np.array([1, 1]), [np.array([0, 1])])
    assert found.positions == pytest.approx(1 - (4 + 2) / (6 + 2))
    assert found.products == pytest.approx(1 - (10 + 2 + 4) / (18 + 2 + 6))
    assert found.made == Extent(1, 2, 4, 2, 6, 2, 18, 6, 2)
    assert found.needed == Extent(1, 2, 4, 2, 4, 2, 10, 4, 2)


def test_like_lengths_pad_nothing():
    lengths = np.array([2, 5, 2, 5])
    found = padding(lengths, lengths, [np.array([0, 2]), np.array([3, 1])])
    assert found.positions == found.products == 0.0
    assert found.made == found.needed == Extent(2, 4, 14, 14, 14, 14, 58, 58, 58)


def test_it_is_what_masks_leave_out():
    random = np.random.default_rng(2)
    sources, prefixes = random.integers(1, 9, (2, 20))
    slots = np.split(random.permutation(20), [4, 5, 13])
    real = np.zeros(2)
    padded = np.zeros(2)
    for slot in slots:
        masks = [
            Layout(tuple(side[slot].tolist()), torch.device("cpu")).mask.double()
            for side in (sources, prefixes)
        ]
        for queries, keys in ((masks[0], masks[0]), (masks[1], masks[1]), (masks[1], masks[0])):
            pairs = queries[:, :, None] * keys[:, None, :]
            real[1] += float(pairs.sum())
            padded[1] += pairs.numel()
        real[0] += sum(float(mask.sum()) for mask in masks)
        padded[0] += sum(mask.numel() for mask in masks)
    found = padding(sources, prefixes, slots)
    assert (found.positions, found.products) == pytest.approx(tuple(1 - real / padded))
    assert 0.1 < found.positions < found.products
