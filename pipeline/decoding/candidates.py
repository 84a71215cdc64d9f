"""The best continuations of a batch's live hypotheses, in a strict order: the law of one step.

Ordered by sum of log-probabilities, then lower id, then lower beam. The vocabulary is read once,
for the largest of each block of ids; then only the few blocks are looked into that are the best of
a source, all its hypotheses together. `topk` promises nothing about ties: where one at its edge
makes the choice uncertain (a rare event, found by looking a few candidates further), all
continuations of that source are sorted in full.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.decoding.constraints import BANNED, FREE

Candidates = tuple[Tensor, Tensor, Tensor]  # sums, ids and beams, [sources, candidates]
BLOCK = 64  # ids side by side
FURTHER = 4  # candidates beyond those taken: few ties go on for so long, few banned ids lead


def best(
    log_probs: Float[Tensor, "sources beams vocabulary"],
    totals: Float[Tensor, "sources beams"],
    forced: Int[Tensor, " sources"] | None,
    places: int,
) -> tuple[
    Float[Tensor, "sources places"], Int[Tensor, "sources places"], Int[Tensor, "sources places"]
]:
    """Sums, ids and beams of at most `places` continuations of each source, best first.

    A sum of -inf marks what is no candidate: a continuation of an empty place (its total is -inf),
    a banned id, or another id than the forced one.
    """
    sums, ids, beams = _free(log_probs, totals, places)
    if forced is not None:
        must, only = (forced != FREE)[:, None], _only(forced, log_probs, totals, sums.shape[1])
        sums, ids, beams = (
            torch.where(must, one, other)
            for one, other in zip(only, (sums, ids, beams), strict=True)
        )
    return sums, ids, beams


def _free(log_probs: Tensor, totals: Tensor, places: int) -> Candidates:
    """Where any id may be said that is not banned."""
    count = places + FURTHER
    peaks = None if log_probs.shape[2] < BLOCK else _peaks(log_probs, totals)
    if peaks is None or peaks.shape[1] <= count:
        sums, ids, beams = _sorted_in_full(log_probs, totals)
        return sums[:, :places], ids[:, :places], beams[:, :places]
    top = peaks.topk(count, dim=1)
    sums, ids, beams = _of_blocks(log_probs, totals, top.indices, count)
    unseen = sums[:, -1].maximum(top.values[:, -1])  # nothing that is left out has more
    sums, ids, beams = (x[:, :places] for x in _ordered(sums, ids, beams))
    uncertain = _uncertain(sums[:, -1], unseen)
    if bool(uncertain.any()):
        exact = _sorted_in_full(log_probs[uncertain], totals[uncertain])
        for values, right in zip((sums, ids, beams), exact, strict=True):
            values[uncertain] = right[:, :places]
    return sums, ids, beams


def _peaks(log_probs: Tensor, totals: Tensor) -> Float[Tensor, "sources beams_blocks"]:
    """The largest sum in each block of ids of each hypothesis, banned ids among them. Adding may
    round, but never makes the larger of two the smaller.
    """
    whole = log_probs.shape[2] // BLOCK * BLOCK
    peaks = log_probs[:, :, :whole].unflatten(2, (-1, BLOCK)).amax(3)
    if whole < log_probs.shape[2]:
        peaks = torch.cat([peaks, log_probs[:, :, whole:].amax(2, keepdim=True)], dim=2)
    return (totals[:, :, None] + peaks).flatten(1)


def _of_blocks(
    log_probs: Tensor, totals: Tensor, which: Int[Tensor, "sources chosen"], count: int
) -> Candidates:
    """The best in these blocks; a last one that is shorter is read from further left."""
    _, hypotheses, vocabulary = log_probs.shape
    blocks = -(-vocabulary // BLOCK)
    beams, starts = which // blocks, which % blocks * BLOCK
    read = starts.clamp(max=vocabulary - BLOCK)
    rows = torch.arange(len(which), device=which.device)[:, None] * hypotheses + beams
    values = log_probs.flatten().unfold(0, BLOCK, 1)[rows * vocabulary + read]
    sums = totals.gather(1, beams)[:, :, None] + values  # [sources, chosen, BLOCK]
    ids = read[:, :, None] + torch.arange(BLOCK, device=which.device)
    sums.masked_fill_(ids < starts.clamp(min=len(BANNED))[:, :, None], -math.inf)
    top = sums.flatten(1).topk(count, dim=1)
    return top.values, ids.flatten(1).gather(1, top.indices), beams.gather(1, top.indices // BLOCK)


def _uncertain(
    last: Float[Tensor, " sources"], unseen: Float[Tensor, " sources"]
) -> Bool[Tensor, " sources"]:
    """Whether what was not seen may tie with the last that is taken."""
    return (last <= unseen) & unseen.isfinite()


def _ordered(sums: Tensor, ids: Tensor, beams: Tensor) -> Candidates:
    """Sorted by (id, beam), then, stably, by sum."""
    by_id = (ids * (beams.max() + 1) + beams).argsort(dim=1)
    sums, ids, beams = (x.gather(1, by_id) for x in (sums, ids, beams))
    order = sums.sort(dim=1, descending=True, stable=True)
    return order.values, ids.gather(1, order.indices), beams.gather(1, order.indices)


def _sorted_in_full(log_probs: Tensor, totals: Tensor) -> Candidates:
    """All continuations: a stable sort keeps the order of (id, beam)."""
    sums = (totals[:, :, None] + log_probs).transpose(1, 2)
    sums[:, : len(BANNED)] = -math.inf
    order = sums.flatten(1).sort(dim=1, descending=True, stable=True)
    beams = log_probs.shape[1]
    return order.values, order.indices // beams, order.indices % beams


def _only(
    forced: Int[Tensor, " sources"], log_probs: Tensor, totals: Tensor, places: int
) -> Candidates:
    """Where an id is forced, each hypothesis has one continuation."""
    beams = totals.shape[1]
    index = forced.clamp(min=0)[:, None].expand(-1, places)
    values = log_probs.gather(2, index[:, :1, None].expand(-1, beams, 1))[:, :, 0]
    order = (totals + values).sort(dim=1, descending=True, stable=True)
    missing = (0, max(0, places - beams))
    sums = torch.nn.functional.pad(order.values, missing, value=-math.inf)
    where = torch.nn.functional.pad(order.indices, missing)
    return sums[:, :places], index, where[:, :places]
