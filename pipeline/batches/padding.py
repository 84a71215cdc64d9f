"""Padding: how much of what attention computes on is real. A function of slots' lengths alone.

Example: sources of 3 and 1 ids side by side are padded to 2 · 3 positions, of which 4 are real: a
third of the positions is padding, and of the 2 · 3² products of queries and keys 8 of 18.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Padding:
    """What is padding in the padded views of a group's slots; both are shares, 0 for none."""

    positions: float  # of all positions of sources and prefixes
    products: float  # of all pairs of a query and a key: within sources, within prefixes, across


def padding(sources: Lengths, prefixes: Lengths, slots: Sequence[NDArray[np.int64]]) -> Padding:
    """That of a group whose slots hold these places of it. Lengths are of each example."""
    order = np.concatenate(slots)
    counts = np.array([len(slot) for slot in slots])
    source, prefix = sources[order].astype(np.int64), prefixes[order].astype(np.int64)
    begins = np.cumsum(counts) - counts
    longest = [np.maximum.reduceat(side, begins) for side in (source, prefix)]
    positions = (source + prefix).sum() / (counts * (longest[0] + longest[1])).sum()
    products = _products(source, prefix).sum() / (counts * _products(*longest)).sum()
    return Padding(1 - float(positions), 1 - float(products))


def _products(source: Lengths, prefix: Lengths) -> Lengths:
    return source**2 + prefix**2 + source * prefix
