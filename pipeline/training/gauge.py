"""The gauge: the share of a machine's matrix products that a training reaches (MFU).

MFU is the operations that a group's real positions need, for each second of its step, over those
that large matrix products reach on the same workers at the same time: measured once, when a run
begins, in much less than a second. It is for people; nothing that reaches weights is read from it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from pipeline.batches.padding import Padding
from pipeline.training.operations import Operations, operations_of
from pipeline.training.team import Team
from pipeline.training.weights import Learner

SECONDS = 0.3  # that a rate is measured for, about
NARROWEST, WIDEST = 256, 8192  # matrices
TIMES = 3  # products in a row


@dataclass(frozen=True, slots=True)
class Gauge:
    """What steps are held against."""

    operations: Operations
    peak: float  # operations a second of large matrix products, of all workers together

    def needed(self, padding: Padding) -> int:
        """Operations of a group's step on real positions."""
        return self.operations(padding.needed)

    def made(self, padding: Padding) -> int:
        """The same with those on padding."""
        return self.operations(padding.made)


def gauge_of(learner: Learner, dtype: torch.dtype, team: Team) -> Gauge:
    """The gauge of a learner that computes in `dtype`; every worker of the team calls this."""
    operations = operations_of(learner, team.device)
    team.tell(None)  # all begin together, as in steps
    rate = torch.tensor([matrix_rate(dtype, team.device)], dtype=torch.float64, device=team.device)
    team.sum_(rate)
    if team.device.type == "cuda":  # so that this is no part of what the run needs
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(team.device)
    return Gauge(operations, float(rate))


def matrix_rate(
    dtype: torch.dtype,
    device: torch.device,
    *,
    seconds: float = SECONDS,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Operations a second of products of square matrices: the best of many, the widest that fit
    into `seconds` several times."""
    _seconds(NARROWEST, dtype, device, clock, times=1)  # libraries begin with their first product
    best, width, left = 0.0, NARROWEST, seconds
    while True:
        spent = _seconds(width, dtype, device, clock, times=TIMES)
        best, left = max(best, TIMES * 2 * width**3 / spent), left - spent
        if width < WIDEST and 8 * spent < left:
            width *= 2
        elif spent > left:
            return best


def _seconds(
    width: int, dtype: torch.dtype, device: torch.device, clock: Callable[[], float], *, times: int
) -> float:
    """What so many products of this width take."""
    draw = torch.Generator(device).manual_seed(1)  # numbers as any: of zeros a GPU makes more
    both = torch.randn(2, width, width, generator=draw, device=device).to(dtype)
    left, right, product = *both, torch.empty_like(both[0])
    _finish(device)
    began = clock()
    for _ in range(times):
        torch.mm(left, right, out=product)
    _finish(device)
    return max(clock() - began, 1e-9)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
