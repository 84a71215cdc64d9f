"""Beam search over any model: the `k` best continuations at each step, EOS among them.

The law of a step, for each source alone: of all continuations of its live hypotheses the best
(k - finished) are taken, by sum of log-probabilities, then lower id, then lower beam. One that is
EOS has finished and gives up its place. At its limit a hypothesis is given EOS. So beam 1 is greedy
search, and a beam with places for everything is enumeration.

A normalisation (and a coverage penalty) orders what has finished; it never prunes. A source is done
when nothing lives, or when `n_best` have finished and the normalisation's bound proves that no live
hypothesis can come before them; then it leaves the batch, so that cost follows live work.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, PositiveInt, SerializeAsAny
from torch import Tensor

from pipeline.batches.batch import BOS, EOS, Batch
from pipeline.choose import chosen
from pipeline.decoding import candidates
from pipeline.decoding.constraints import Constraints
from pipeline.decoding.coverage import Coverage, no_coverage
from pipeline.decoding.found import Found, Places
from pipeline.decoding.normalisation import Mean, Normalisation
from pipeline.decoding.search import Search
from pipeline.models.seam import Searchable, State


def _normalisations() -> Mapping[str, type[Normalisation]]:
    """The room's table, which is complete only after this module."""
    from pipeline.decoding import NORMALISATIONS

    return NORMALISATIONS


class Beam(Search):
    """Search with `beam_size` places for each source."""

    beam_size: PositiveInt = 5
    """Places for live and finished hypotheses of one source together."""
    normalisation: Annotated[SerializeAsAny[Normalisation], chosen(_normalisations)] = Mean()
    """How a sum becomes a score: {kind: sum, mean, gnmt, marian or word_reward, its fields…}."""
    coverage_penalty: float = Field(default=0.0, ge=0)
    """beta of the coverage penalty that is added to a score; 0: none. Needs attention."""

    def most(self) -> int:
        """As many as there are places."""
        return self.beam_size

    def find(
        self,
        model: Searchable,
        batch: Batch,
        *,
        n_best: int = 1,
        prefixes: Sequence[Sequence[int]] | None = None,
    ) -> list[list[Found]]:
        """The n-best of each source."""
        constraints = self.constraints(model, batch, prefixes)
        longest = int(constraints.limits.max())
        places = Places(batch.count, self.beam_size, longest, batch.source.values.device)
        live = self._start(model, batch, constraints)
        for step in range(longest):
            taken = self._take(model, live, places, step)
            left = self._keep(taken, places, step, n_best)
            if left is None:
                break
            live = left
        return places.best(n_best)

    def _start(self, model: Searchable, batch: Batch, constraints: Constraints) -> "_Live":
        device = batch.source.values.device
        ids = torch.full((batch.count, 1), BOS, dtype=torch.int64, device=device)
        return _Live(
            state=model.encode(batch, attention=self.coverage_penalty > 0),
            rows=torch.arange(batch.count, device=device),
            constraints=constraints,
            totals=torch.zeros(batch.count, 1, dtype=torch.float64, device=device),
            history=ids[:, :, None],
            coverage=no_coverage(batch.source.lengths, ids) if self.coverage_penalty else None,
        )

    def _take(self, model: Searchable, live: "_Live", places: Places, step: int) -> "_Taken":
        """One step: the best continuations, and those that ended into their places."""
        log_probs, attention, state = model.advance(live.history[:, :, -1], live.state)
        free = self.beam_size - places.counts[live.rows]
        totals, ids, beams = candidates.best(
            log_probs, live.totals, live.constraints.forced(step), int(free.max())
        )
        rank = torch.arange(totals.shape[1], device=totals.device)
        taken = (rank < free[:, None]) & (totals > -math.inf)
        history = live.history.take_along_dim(beams[:, :, None], 1)
        history = torch.cat([history, ids[:, :, None]], dim=2)
        coverage = live.coverage and live.coverage.add(attention).select(None, beams)
        ended = taken & (ids == EOS)
        scores = self._scores(totals, torch.full_like(ids, step + 1), coverage)
        places.add(live.rows, ended, history[:, :, 1:], totals, scores)
        going = _Live(state, live.rows, live.constraints, totals, history, coverage)
        return _Taken(going, beams, taken & ~ended)

    def _scores(
        self,
        totals: Float[Tensor, "sources beams"],
        lengths: Int[Tensor, "sources beams"],
        coverage: Coverage | None,
    ) -> Float[Tensor, "sources beams"]:
        scores = self.normalisation.score(totals, lengths)
        return scores if coverage is None else scores + self.coverage_penalty * coverage.penalty()

    def _keep(self, taken: "_Taken", places: Places, step: int, n_best: int) -> "_Live | None":
        """What lives on, moved to the front in order of rank; None when every source is done."""
        live, going = taken.live, taken.going
        stay = (going.any(1) & ~self._proven(live, going, places, step, n_best)).nonzero()[:, 0]
        if not len(stay):
            return None
        sources = None if len(stay) == len(going) else stay
        going = going[stay]
        order = (~going).int().sort(dim=1, stable=True).indices[:, : int(going.sum(1).max())]
        return live.select(sources, order, taken.beams, going)

    def _proven(
        self, live: "_Live", going: Bool[Tensor, "sources beams"], places: Places, step: int, n: int
    ) -> Bool[Tensor, " sources"]:
        """Whether no live hypothesis can come before the n best finished of its source."""
        worst = places.scores[live.rows].topk(n, dim=1).values[:, -1]
        best = live.totals.masked_fill(~going, -math.inf).amax(1)
        shortest = torch.full_like(live.constraints.limits, step + 2)
        bound = self.normalisation.bound(best, shortest, live.constraints.limits)
        return bound <= worst


@dataclass(frozen=True, slots=True, eq=False)
class _Live:
    """Live hypotheses of the sources that are left; an empty place has a total of -inf."""

    state: State
    rows: Int[Tensor, " sources"]  # which source of the batch
    constraints: Constraints
    totals: Float[Tensor, "sources beams"]
    history: Int[Tensor, "sources beams ids"]  # BOS first
    coverage: Coverage | None

    def select(
        self,
        sources: Int[Tensor, " kept"] | None,
        order: Int[Tensor, "kept places"],
        beams: Int[Tensor, "all beams"],
        going: Bool[Tensor, "kept beams"],
    ) -> "_Live":
        """Keep some sources, and of each the hypotheses named in `order`; `beams` is their origin
        in the state, which has not moved yet.
        """
        every = slice(None) if sources is None else sources
        origin = beams[every].take_along_dim(order, 1)
        totals = self.totals[every].masked_fill(~going, -math.inf)
        return _Live(
            state=self.state.select(sources, origin),
            rows=self.rows[every],
            constraints=self.constraints if sources is None else self.constraints.select(sources),
            totals=totals.take_along_dim(order, 1),
            history=self.history[every].take_along_dim(order[:, :, None], 1),
            coverage=self.coverage and self.coverage.select(sources, order),
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Taken:
    """The continuations of one step: `live` in order of rank (its state in the order before)."""

    live: _Live
    beams: Int[Tensor, "sources places"]  # where in the state each continuation comes from
    going: Bool[Tensor, "sources places"]  # neither empty nor ended
