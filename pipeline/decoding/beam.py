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

import torch
from jaxtyping import Bool, Float, Int
from pydantic import Field, PositiveInt
from torch import Tensor

from pipeline.batches.batch import EOS, Batch
from pipeline.decoding import candidates
from pipeline.decoding.constraints import Constraints
from pipeline.decoding.coverage import Coverage
from pipeline.decoding.found import Found, Places
from pipeline.decoding.live import Live, Taken, start
from pipeline.decoding.normalisation import AnyNormalisation, Formula, Mean
from pipeline.decoding.search import Search
from pipeline.models.seam import Searchable


class Beam(Search):
    """Search with `beam_size` places for each source."""

    beam_size: PositiveInt = 5
    """Places for live and finished hypotheses of one source together."""
    normalisation: AnyNormalisation = Mean()
    """How a sum becomes a score: {kind: sum, mean, gnmt, marian or word_reward, its fields…}."""
    coverage_penalty: float = Field(default=0.0, ge=0)
    """beta of the coverage penalty that is added to a score; 0: none. Needs attention."""

    def most(self) -> int:
        """As many as there are places."""
        return self.beam_size

    def formula(self) -> Formula:
        """That of the settings."""
        return Formula(self.normalisation, self.coverage_penalty)

    def walk(
        self, model: Searchable, batch: Batch, constraints: Constraints, n_best: int
    ) -> list[list[Found]]:
        """The n-best of each source."""
        longest = int(constraints.limits.max())
        places = Places(batch.count, self.beam_size, longest, batch.source.values.device)
        live = start(model, batch, constraints, attention=self.coverage_penalty > 0)
        for step in range(longest):
            taken = self._take(model, live, places, step)
            sources = taken.staying(self._proven(taken, places, step, n_best))
            if sources is not None and not len(sources):
                break
            live = taken.select(sources, taken.order(sources))
        return places.best(n_best)

    def _take(self, model: Searchable, live: Live, places: Places, step: int) -> Taken:
        """One step: the best continuations, and those that ended into their places."""
        log_probs, attention, state = model.advance(live.said(), live.state)
        free = places.free(live.rows)
        forced = live.constraints.forced(step)
        log_probs = live.constraints.strike(log_probs, live.history, step, forced)
        totals, ids, beams = candidates.best(log_probs, live.totals, forced, int(free.max()))
        rank = torch.arange(totals.shape[1], device=totals.device)
        taken = (rank < free[:, None]) & (totals > -math.inf)
        coverage = live.coverage and live.coverage.add(attention).select(None, beams)
        going = live.say(state, totals, ids, beams, coverage)
        ended = taken & (ids == EOS)
        scores = self._scores(totals, torch.full_like(ids, step + 1), coverage)
        places.add(live.rows, ended, going.history[:, :, 1:], totals, scores)
        return Taken(going, beams, taken & ~ended)

    def _scores(
        self,
        totals: Float[Tensor, "sources beams"],
        lengths: Int[Tensor, "sources beams"],
        coverage: Coverage | None,
    ) -> Float[Tensor, "sources beams"]:
        scores = self.normalisation.score(totals, lengths)
        return scores if coverage is None else scores + self.coverage_penalty * coverage.penalty()

    def _proven(
        self, taken: Taken, places: Places, step: int, n_best: int
    ) -> Bool[Tensor, " sources"]:
        """Whether no live hypothesis can come before the n best finished of its source."""
        live, going = taken.live, taken.going
        worst = places.scores[live.rows].topk(n_best, dim=1).values[:, -1]
        best = live.totals.masked_fill(~going, -math.inf).amax(1)
        shortest = torch.full_like(live.constraints.limits, step + 2)
        bound = self.normalisation.bound(best, shortest, live.constraints.limits)
        return bound <= worst
