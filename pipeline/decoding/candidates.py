"""The best continuations of a batch's live hypotheses, in a strict order: the law of one step.

Ordered by sum of log-probabilities, then lower id, then lower beam. The vocabulary is read once, by
`topk`, which promises nothing about ties; where a tie at its edge makes its choice uncertain (a
rare event, found by looking one candidate further), those rows are sorted in full.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

from pipeline.decoding.constraints import BANNED, FREE

Candidates = tuple[Tensor, Tensor]  # sums and ids, [sources, beams, candidates]
BLOCK = 64  # ids side by side


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
    sums, ids = _of_each_beam(log_probs, totals, places)
    if forced is not None:
        sums, ids = _only(forced, log_probs, totals, sums, ids)
    return _of_all_beams(sums, ids, places)


def _of_each_beam(log_probs: Tensor, totals: Tensor, places: int) -> Candidates:
    """The best `places` of each beam; ties in sums, not in log-probabilities: adding may round."""
    vocabulary = log_probs.shape[2]
    count = min(places + 1 + len(BANNED), vocabulary)
    values, ids = _largest(log_probs, count)
    raw = totals[:, :, None] + values
    sums = _strike_banned(raw, ids)
    if count < vocabulary:
        unseen = raw[:, :, -1]  # nothing outside the largest can have more
        last = sums.topk(places, dim=2).values[:, :, -1]
        uncertain = (last <= unseen) & unseen.isfinite()
        if bool(uncertain.any()):
            exact = _sorted_in_full(log_probs[uncertain], totals[uncertain], count)
            sums[uncertain], ids[uncertain] = exact
    return sums, ids


def _largest(log_probs: Tensor, count: int) -> Candidates:
    """`topk` over the vocabulary. On a CPU it takes half the time to look first for the blocks with
    the largest maxima: reading for a maximum is cheap, and the other blocks are never ordered.
    """
    vocabulary = log_probs.shape[2]
    blocks = vocabulary // BLOCK
    if log_probs.device.type != "cpu" or blocks < 4 * count:
        values, ids = log_probs.topk(count, dim=2)
        return values, ids
    rows = log_probs.reshape(-1, vocabulary)
    head = rows[:, : blocks * BLOCK].unflatten(1, (blocks, BLOCK))
    which = head.amax(2).topk(count, dim=1).indices  # [rows, count]
    ids = (which[:, :, None] * BLOCK + torch.arange(BLOCK)).flatten(1)
    if vocabulary > blocks * BLOCK:
        rest = torch.arange(blocks * BLOCK, vocabulary).expand(len(rows), -1)
        ids = torch.cat([ids, rest], dim=1)
    top = rows.gather(1, ids).topk(count, dim=1)
    shape = (*log_probs.shape[:2], count)
    return top.values.view(shape), ids.gather(1, top.indices).view(shape)


def _strike_banned(sums: Tensor, ids: Tensor) -> Tensor:
    """BANNED are the lowest ids, so one comparison finds them."""
    return sums.masked_fill(ids < len(BANNED), -math.inf)


def _sorted_in_full(log_probs: Tensor, totals: Tensor, count: int) -> Candidates:
    """All continuations of these hypotheses [rows, V]; a stable sort keeps lower ids first."""
    sums = totals[:, None] + log_probs
    sums[:, : len(BANNED)] = -math.inf
    order = sums.sort(dim=1, descending=True, stable=True)
    return order.values[:, :count], order.indices[:, :count]


def _only(
    forced: Tensor, log_probs: Tensor, totals: Tensor, sums: Tensor, ids: Tensor
) -> Candidates:
    """Where an id is forced, it is each beam's first candidate and the others are struck out."""
    must = (forced != FREE)[:, None, None]
    index = forced.clamp(min=0)[:, None, None].expand(-1, log_probs.shape[1], 1)
    only = torch.full_like(sums, -math.inf)
    only[:, :, :1] = totals[:, :, None] + log_probs.gather(2, index)
    return torch.where(must, only, sums), torch.where(must, index, ids)


def _of_all_beams(sums: Tensor, ids: Tensor, places: int) -> tuple[Tensor, Tensor, Tensor]:
    """Merge the beams: sort by (id, beam), then, stably, by sum."""
    beams = torch.arange(sums.shape[1], device=sums.device)[None, :, None].expand_as(ids)
    by_id = (ids * sums.shape[1] + beams).flatten(1).argsort(dim=1)
    sums, ids, beams = (x.flatten(1).take_along_dim(by_id, 1) for x in (sums, ids, beams))
    order = sums.sort(dim=1, descending=True, stable=True)
    first = order.indices[:, :places]
    return order.values[:, :places], ids.take_along_dim(first, 1), beams.take_along_dim(first, 1)
