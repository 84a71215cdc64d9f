"""Diverse beam search: groups of hypotheses that keep out of each other's way.

Vijayakumar et al. 2016 (arXiv 1610.02424). Each group is a beam search with its share of the
places. In a step the groups choose one after the other, and an id costs a later group `strength`
for each hypothesis of an earlier group that took it in this step (Hamming diversity). That orders
the choice of the one step; a sum of log-probabilities, and so a score, is always the model's.

Groups are there to be looked at, so none is stopped by a bound: a source is done when its places
are full or nothing lives. A target that several groups found is one hypothesis.
"""

import math
from typing import Self

import torch
from jaxtyping import Int
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor

from pipeline.batches.batch import EOS, Batch
from pipeline.decoding import candidates
from pipeline.decoding.constraints import Constraints
from pipeline.decoding.found import Found, Places, distinct
from pipeline.decoding.live import Live, Taken, start
from pipeline.decoding.normalisation import AnyNormalisation, Formula, Mean
from pipeline.decoding.search import Search
from pipeline.models.seam import Searchable


class DiverseBeam(Search):
    """Beam search in groups that differ from each other; its n-best is of all groups."""

    beam_size: PositiveInt = 6
    """Places for live and finished hypotheses of one source, of all groups together."""
    groups: PositiveInt = 3
    """Groups, which share the places evenly; 1: beam search."""
    strength: float = Field(default=0.5, ge=0)
    """What an id costs for each hypothesis of an earlier group that took it, in nats."""
    normalisation: AnyNormalisation = Mean()
    """How a sum becomes a score, as in a beam search."""

    @model_validator(mode="after")
    def _groups_share_the_places(self) -> Self:
        if self.beam_size % self.groups:
            raise ValueError(
                f"{self.beam_size} places cannot be shared by {self.groups} groups: "
                "let beam_size be a multiple of groups"
            )
        return self

    def most(self) -> int:
        """As many as there are places."""
        return self.beam_size

    def formula(self) -> Formula:
        """That of the settings."""
        return Formula(self.normalisation)

    def walk(
        self, model: Searchable, batch: Batch, constraints: Constraints, n_best: int
    ) -> list[list[Found]]:
        """Up to n_best of each source: fewer, where groups found the same."""
        longest, width = int(constraints.limits.max()), self.beam_size // self.groups
        places = Places(batch.count * self.groups, width, longest, batch.source.values.device)
        live = start(model, batch, constraints, hypotheses=self.groups)
        for step in range(longest):
            taken = self._take(model, live, places, step)
            sources = taken.staying()
            if sources is not None and not len(sources):
                break
            live = taken.select(sources, taken.order(sources, self.groups))
        found = places.best(width)
        groups = [found[row : row + self.groups] for row in range(0, len(found), self.groups)]
        return [distinct([one for part in parts for one in part], n_best) for parts in groups]

    def _take(self, model: Searchable, live: Live, places: Places, step: int) -> Taken:
        """One step of all groups."""
        own, _, state = model.advance(live.said(), live.state)
        forced = live.constraints.forced(step)
        log_probs = live.constraints.strike(own, live.history, step, forced)
        rows = self._rows(live)
        beams, ids, taken = self._choose(log_probs, live, forced, places.free(rows))
        totals = live.totals.take_along_dim(beams, 1) + own.flatten(1).take_along_dim(
            beams * own.shape[2] + ids, 1
        )
        going = live.say(state, totals.masked_fill(~taken, -math.inf), ids, beams)
        ended = taken & (ids == EOS)
        scores = self.normalisation.score(totals, torch.full_like(ids, step + 1))
        history = going.history[:, :, 1:].unflatten(1, (self.groups, -1)).flatten(0, 1)
        parts = [x.reshape(len(history), -1) for x in (ended, totals, scores)]
        places.add(rows.flatten(), parts[0], history, parts[1], parts[2])
        return Taken(going, beams, taken & ~ended)

    def _choose(
        self,
        log_probs: Tensor,
        live: Live,
        forced: Tensor | None,
        free: Int[Tensor, "sources groups"],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Beams and ids of the continuations, group after group, and which of them are taken."""
        most, width = int(free.max()), live.totals.shape[1] // self.groups
        said = torch.zeros_like(log_probs[:, 0])  # by earlier groups, [sources, vocabulary]
        chosen: list[tuple[Tensor, Tensor, Tensor]] = []
        for group in range(self.groups):
            mine = slice(group * width, (group + 1) * width)
            dearer = log_probs[:, mine] - self.strength * said[:, None]
            sums, ids, beams = candidates.best(dearer, live.totals[:, mine], forced, most)
            rank = torch.arange(sums.shape[1], device=sums.device)
            taken = (rank < free[:, group, None]) & (sums > -math.inf)
            said.scatter_add_(1, ids, taken.to(said.dtype))
            chosen.append((beams + group * width, ids, taken))
        beams, ids, taken = (torch.cat(parts, dim=1) for parts in zip(*chosen, strict=True))
        return beams, ids, taken

    def _rows(self, live: Live) -> Int[Tensor, "sources groups"]:
        """Where each group of the live sources has its places."""
        groups = torch.arange(self.groups, device=live.rows.device)
        return live.rows[:, None] * self.groups + groups
