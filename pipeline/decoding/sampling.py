"""Sampling: hypotheses drawn from the model's own distribution, or from its more probable part.

The distribution of a step is tempered (probabilities to the power 1 / temperature), then cut to the
`top_k` most probable ids, then to the fewest that hold `top_p` of the rest (nucleus sampling,
Holtzman et al. 2019, arXiv 1904.09751). It is only drawn from: a score is the model's own sum.

Each draw is a pure function of (seed, ids of the source, number of the sample, step), so neither
the batch, nor the order of the sources, nor how many processes there are changes what is drawn; the
same source gets the same samples.
"""

import math

import torch
from jaxtyping import Float, Int
from pydantic import Field, PositiveInt
from torch import Tensor

from pipeline.batches.batch import EOS, Batch, Ragged
from pipeline.decoding.constraints import BANNED, FREE, Constraints
from pipeline.decoding.found import Found, Places, distinct
from pipeline.decoding.live import Live, Taken, start
from pipeline.decoding.normalisation import Formula, Sum
from pipeline.decoding.search import Search
from pipeline.models.dropout import mix, salted
from pipeline.models.layout import Layout
from pipeline.models.seam import Searchable

BITS = 48  # of a random number: fewer than float64 holds, so that it is never rounded to 1


class Sampling(Search):
    """Draw `samples` hypotheses of each source; the best of them by log-probability come first."""

    samples: PositiveInt = 1
    """Hypotheses that are drawn for each source. Equal ones are one."""
    temperature: float = Field(default=1.0, gt=0)
    """Below 1 the probable becomes more probable, above 1 less; near 0: use greedy."""
    top_k: PositiveInt | None = None
    """Draw from this many most probable ids; null: from all."""
    top_p: float | None = Field(default=None, gt=0, le=1)
    """Draw from the fewest most probable ids with this probability together; null: from all."""
    seed: int = 1
    """Another seed draws others."""

    def most(self) -> int:
        """As many as are drawn."""
        return self.samples

    def formula(self) -> Formula:
        """The sum of log-probabilities, which temperature and cuts leave as they are."""
        return Formula(Sum())

    def walk(
        self, model: Searchable, batch: Batch, constraints: Constraints, n_best: int
    ) -> list[list[Found]]:
        """Up to n_best of each source's samples: fewer, where equal ones were drawn."""
        longest = int(constraints.limits.max())
        places = Places(batch.count, self.samples, longest, batch.source.values.device)
        live = start(model, batch, constraints, hypotheses=self.samples)
        keys = self._keys(batch.source)
        for step in range(longest):
            taken = self._take(model, live, places, step, uniform(salted(keys, step)))
            sources = taken.staying()
            if sources is not None and not len(sources):
                break
            order = taken.order(sources)
            keys = (keys if sources is None else keys[sources]).take_along_dim(order, 1)
            live = taken.select(sources, order)
        return [distinct(found, n_best) for found in places.best(self.samples)]

    def _keys(self, source: Ragged) -> Int[Tensor, "sources samples"]:
        """The key of every sample's random numbers."""
        samples = torch.arange(self.samples, device=source.values.device)
        return salted(salted(mix(fingerprints(source)), self.seed)[:, None], samples)

    def _take(
        self,
        model: Searchable,
        live: Live,
        places: Places,
        step: int,
        numbers: Float[Tensor, "sources beams"],
    ) -> Taken:
        """One step: an id drawn for each hypothesis, and those that ended into their places."""
        own, _, state = model.advance(live.said(), live.state)
        forced = live.constraints.forced(step)
        log_probs = live.constraints.strike(own, live.history, step, forced)
        ids = self._draw(log_probs, numbers)
        if forced is not None:
            ids = torch.where(forced[:, None] == FREE, ids, forced[:, None])
        totals = live.totals + own.gather(2, ids[:, :, None])[:, :, 0]
        beams = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        going = live.say(state, totals, ids, beams)
        taken = totals > -math.inf
        ended = taken & (ids == EOS)
        places.add(live.rows, ended, going.history[:, :, 1:], totals, totals)
        return Taken(going, beams, taken & ~ended)

    def _draw(
        self,
        log_probs: Float[Tensor, "sources beams vocabulary"],
        numbers: Float[Tensor, "sources beams"],
    ) -> Int[Tensor, "sources beams"]:
        """The id at which the cumulated probabilities pass each number in [0, 1)."""
        weights = log_probs.double() / self.temperature
        weights[:, :, list(BANNED)] = -math.inf
        tempered = weights.log_softmax(-1)
        if self.top_k is None and self.top_p is None:
            return passed(tempered.exp(), numbers)
        ordered = tempered.sort(dim=2, descending=True, stable=True)  # of equal ones the lower id
        weights = ordered.values[:, :, : self.top_k].exp()
        if self.top_p is not None:
            before = weights.cumsum(2) - weights
            weights = weights * (before < self.top_p * weights.sum(2, keepdim=True))
        return ordered.indices.gather(2, passed(weights, numbers)[:, :, None])[:, :, 0]


def passed(
    weights: Float[Tensor, "sources beams choices"], numbers: Float[Tensor, "sources beams"]
) -> Int[Tensor, "sources beams"]:
    """The first choice whose cumulated weight is above that share of all; never one of weight 0."""
    sums = weights.cumsum(2)
    wanted = numbers[:, :, None] * sums[:, :, -1:]
    return torch.searchsorted(sums, wanted, right=True)[:, :, 0].clamp(max=weights.shape[2] - 1)


def uniform(keys: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """A number between 0 and 1, neither of them, for each key."""
    bits = (keys >> (64 - BITS)) & (2**BITS - 1)
    return (bits.double() + 0.5) / 2**BITS


def fingerprints(source: Ragged) -> Int[Tensor, " sources"]:
    """A number for each source that depends on all that it holds, ids or frames."""
    values, layout = source.values, Layout(source.lengths, source.values.device)
    if values.is_floating_point():
        values = values.contiguous().view(torch.int32)
    channels = values.reshape(len(values), -1).long()
    rows = salted(channels, torch.arange(channels.shape[1], device=values.device)).sum(1)
    rows = salted(rows, layout.position)
    return rows.new_zeros(layout.count).index_add(0, layout.sequence, rows)
