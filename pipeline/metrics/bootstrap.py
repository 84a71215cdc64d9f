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
    """Challenger minus champion on the same rows: difference, 95 % interval and p-value."""

    champion: float
    challenger: float
    low: float
    high: float
    p_value: float

    @property
    def value(self) -> float:
        """How much better the challenger is."""
        return self.challenger - self.champion


def paired(
    metric: Metric,
    champion: NDArray[np.float64],
    challenger: NDArray[np.float64],
    *,
    resamples: int,
    seed: int,
) -> Difference:
    """Compare two systems from their statistics [rows, width] of the same rows.

    The interval drops resamples // 40 values at each end; the p-value is two-sided, for the null
    hypothesis that both are equally good.
    """
    assert len(champion) == len(challenger) > 0, (len(champion), len(challenger))
    scores = _resampled(metric, champion, challenger, resamples, seed)
    differences = scores[:, 1] - scores[:, 0]
    before, after = metric.score(champion.sum(0)), metric.score(challenger.sum(0))
    ordered = np.sort(differences)
    cut = resamples // 40
    return Difference(
        champion=before,
        challenger=after,
        low=float(ordered[cut]),
        high=float(ordered[resamples - cut - 1]),
        p_value=_p_value(differences, after - before),
    )


def _resampled(
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


def _p_value(differences: NDArray[np.float64], found: float) -> float:
    """The share of resamples whose centred difference exceeds the one found (as in Moses)."""
    sizes = np.abs(differences)
    exceeding = int(np.sum(sizes - sizes.mean() > abs(found)))
    return (exceeding + 1) / (len(differences) + 1)
