"""Paired bootstrap (Koehn 2004) over per-sentence statistics, equal to sacreBLEU's for one seed.

Both systems are scored on the same resampled rows. A resample is a count of each row, so that all
resamples of a block are one matrix product with the statistics.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.metrics.metric import Metric

_CELLS = 4_000_000  # drawn at once: 32 MB, however many rows and resamples there are


@dataclass(frozen=True, slots=True)
class Difference:
    """Both on the same rows, and the 95 % interval of challenger minus champion."""

    champion: float
    challenger: float
    low: float
    high: float


def paired(
    metric: Metric,
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    *,
    resamples: int,
    seed: int,
) -> Difference:
    """Compare two systems from their statistics [rows, width] of the same rows.

    The interval drops resamples // 40 values at each end.
    """
    assert len(champion) == len(challenger) > 0, (len(champion), len(challenger))
    scores = resampled(metric, champion, challenger, resamples, seed)
    ordered = np.sort(scores[:, 1] - scores[:, 0])
    cut = resamples // 40
    return Difference(
        champion=metric.score(champion.sum(0)),
        challenger=metric.score(challenger.sum(0)),
        low=float(ordered[cut]),
        high=float(ordered[resamples - cut - 1]),
    )


def resampled(
    metric: Metric,
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    resamples: int,
    seed: int,
) -> NDArray[np.float64]:
    """Scores [resamples, 2] of both systems on the same random rows."""
    rows, width = champion.shape
    both = np.concatenate([champion, challenger], axis=1)
    generator = np.random.default_rng(seed)
    scores: list[tuple[float, float]] = []
    block = max(1, _CELLS // rows)
    for start in range(0, resamples, block):
        drawn = generator.choice(rows, size=(min(block, resamples - start), rows), replace=True)
        counts = np.stack([np.bincount(line, minlength=rows) for line in drawn])
        sums = counts.astype(np.float64) @ both
        scores += [(metric.score(line[:width]), metric.score(line[width:])) for line in sums]
    return np.array(scores)
