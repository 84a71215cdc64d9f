"""The live hypotheses of a search: what they said, what it cost, and where their states lie."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from pipeline.batches.batch import BOS, EOS, Batch
from pipeline.decoding.constraints import Constraints
from pipeline.decoding.coverage import Coverage, no_coverage
from pipeline.models.seam import Searchable, State


@dataclass(frozen=True, slots=True, eq=False)
class Live:
    """Live hypotheses of the sources that are left; an empty place has a total of -inf."""

    state: State
    rows: Int[Tensor, " sources"]  # which source of the batch
    constraints: Constraints
    totals: Float[Tensor, "sources beams"]
    history: Int[Tensor, "sources beams ids"]  # BOS first
    coverage: Coverage | None

    def said(self) -> Int[Tensor, "sources beams"]:
        """The last ids; EOS in an empty place, which a model then need not work on."""
        return self.history[:, :, -1].masked_fill(self.totals == -math.inf, EOS)

    def say(
        self,
        state: State,
        totals: Float[Tensor, "sources places"],
        ids: Int[Tensor, "sources places"],
        beams: Int[Tensor, "sources places"],
        coverage: Coverage | None = None,
    ) -> "Live":
        """Continuations by one id, of the hypotheses at `beams`; `state` has not moved yet."""
        history = self.history.take_along_dim(beams[:, :, None], 1)
        history = torch.cat([history, ids[:, :, None]], dim=2)
        constraints = self.constraints.follow(beams, ids)
        return Live(state, self.rows, constraints, totals, history, coverage)

    def select(
        self,
        sources: Int[Tensor, " kept"] | None,
        order: Int[Tensor, "kept places"],
        beams: Int[Tensor, "all beams"],
        going: Bool[Tensor, "kept beams"],
    ) -> "Live":
        """Keep some sources, and of each the hypotheses named in `order`; `beams` is their origin
        in the state, which has not moved yet.
        """
        every = slice(None) if sources is None else sources
        origin = beams[every].take_along_dim(order, 1)
        totals = self.totals[every].masked_fill(~going, -math.inf)
        return Live(
            state=self.state.select(sources, origin),
            rows=self.rows[every],
            constraints=self.constraints.select(sources, order),
            totals=totals.take_along_dim(order, 1),
            history=self.history[every].take_along_dim(order[:, :, None], 1),
            coverage=self.coverage and self.coverage.select(sources, order),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """The continuations of one step: `live` in order of rank (its state in the order before)."""

    live: Live
    beams: Int[Tensor, "sources places"]  # where in the state each continuation comes from
    going: Bool[Tensor, "sources places"]  # neither empty nor ended

    def staying(self, done: Bool[Tensor, " sources"] | None = None) -> Int[Tensor, " kept"] | None:
        """The sources in which something lives and that are not done; None: all of them."""
        return kept(self.going.any(1) if done is None else self.going.any(1) & ~done)

    def order(
        self, sources: Int[Tensor, " kept"] | None, groups: int = 1
    ) -> Int[Tensor, "kept places"]:
        """What lives on, moved to the front of each group of places in order of rank."""
        going = self.going if sources is None else self.going[sources]
        parted = going.unflatten(1, (groups, -1))
        width = int(parted.sum(2).max())
        front = (~parted).int().sort(dim=2, stable=True).indices[:, :, :width]
        first = torch.arange(groups, device=going.device) * parted.shape[2]
        return (front + first[:, None]).flatten(1)

    def select(
        self, sources: Int[Tensor, " kept"] | None, order: Int[Tensor, "kept places"]
    ) -> Live:
        """These sources' hypotheses in this order, states and all."""
        going = self.going if sources is None else self.going[sources]
        return self.live.select(sources, order, self.beams, going)


def kept(stay: Bool[Tensor, " sources"]) -> Int[Tensor, " kept"] | None:
    """The sources that stay; None: all of them. The last ones take the places of those that leave,
    so that most stay where they are: what a state holds of them need not move.
    """
    count = int(stay.sum())
    if count == len(stay):
        return None
    order = torch.arange(count, device=stay.device)
    order[~stay[:count]] = count + stay[count:].nonzero()[:, 0]
    return order


def start(
    model: Searchable,
    batch: Batch,
    constraints: Constraints,
    *,
    attention: bool = False,
    hypotheses: int = 1,
) -> Live:
    """Before the first id; several hypotheses of a source begin alike."""
    device = batch.source.values.device
    ids = torch.full((batch.count, hypotheses), BOS, dtype=torch.int64, device=device)
    state = model.encode(batch, attention=attention)
    if hypotheses > 1:
        state = state.select(None, torch.zeros_like(ids))
        constraints = constraints.select(None, torch.zeros_like(ids))
    return Live(
        state=state,
        rows=torch.arange(batch.count, device=device),
        constraints=constraints,
        totals=torch.zeros(ids.shape, dtype=torch.float64, device=device),
        history=ids[:, :, None],
        coverage=no_coverage(batch.source.lengths, ids) if attention else None,
    )
