"""Padding: how much of what a group's slots hold side by side is real. A function of lengths alone.

Example: sources of 3 and 1 ids side by side are padded to 2 · 3 positions, of which 4 are real: a
third of the positions is padding, and of the 2 · 3² products of queries and keys 8 of 18.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.integer]


@dataclass(frozen=True, slots=True)
class Extent:
    """Sums over the slots of a group, which what a model computes is a linear function of."""

    slots: int
    examples: int
    sources: int  # real positions, which are all that linear maps and recurrences see
    targets: int
    padded_sources: int  # positions of the padded views, or as many real ones
    padded_targets: int
    within_sources: int  # pairs of a query and a key
    across: int
    within_targets: int

    @property
    def positions(self) -> int:
        """Positions of the padded views."""
        return self.padded_sources + self.padded_targets

    @property
    def products(self) -> int:
        """Pairs of a query and a key: within sources, within prefixes, across."""
        return self.within_sources + self.within_targets + self.across


@dataclass(frozen=True, slots=True)
class Padding:
    """A group as its slots pad it, and as it would be if nothing were padded."""

    made: Extent
    needed: Extent

    @property
    def positions(self) -> float:
        """The share of the positions of sources and prefixes that is padding."""
        return 1 - self.needed.positions / self.made.positions

    @property
    def products(self) -> float:
        """The same share of the pairs of a query and a key."""
        return 1 - self.needed.products / self.made.products


def padding(sources: Lengths, prefixes: Lengths, slots: Sequence[NDArray[np.int64]]) -> Padding:
    """That of a group whose slots hold these places of it. Lengths are of each example."""
    order = np.concatenate(slots)
    counts = np.array([len(slot) for slot in slots])
    source, prefix = sources[order].astype(np.int64), prefixes[order].astype(np.int64)
    begins = np.cumsum(counts) - counts
    longest, highest = (np.maximum.reduceat(side, begins) for side in (source, prefix))
    held = (len(slots), len(order), int(source.sum()), int(prefix.sum()))
    made, needed = _sums(longest, highest, counts), _sums(source, prefix, np.ones_like(source))
    return Padding(Extent(*held, *made), Extent(*held, *needed))


def _sums(source: Lengths, target: Lengths, times: Lengths) -> tuple[int, ...]:
    """Positions and pairs of views of these widths, each so many times."""
    sources, targets = times * source, times * target
    pairs = (sources @ source, sources @ target, targets @ target)
    return (int(sources.sum()), int(targets.sum()), *map(int, pairs))
