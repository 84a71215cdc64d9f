"""Which variant of an example an epoch shows: a pure function of (seed, epoch, row).

Example: of five segmentations of an example, the best among them, each epoch shows one, and all of
them equally often; an example's is the same however the epoch is cut, resumed or spread.
"""

import numpy as np
from numpy.typing import NDArray

PURPOSE = 1  # keys of the plan have three numbers, this one four


def drawn(rows: NDArray[np.int64], count: int, *, seed: int, epoch: int) -> NDArray[np.int64]:
    """A number below `count` for each row: splitmix64 (Steele et al. 2014) of the epoch's key."""
    sequence = np.random.SeedSequence([seed, epoch, 0, PURPOSE])
    bits = sequence.generate_state(1, np.uint64) + rows.astype(np.uint64) * _GOLDEN
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    bits = bits ^ (bits >> np.uint64(31))
    return (bits % np.uint64(count)).astype(np.int64)


_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
