"""Greedy search: always the most probable next id. What a beam of one place finds, for less work.

Used where thousands of sentences are decoded to watch a training, and by who is in a hurry.
"""

import torch

from pipeline.batches.batch import BOS, EOS, Batch
from pipeline.decoding import candidates
from pipeline.decoding.constraints import Constraints
from pipeline.decoding.found import Found, Places
from pipeline.decoding.live import kept
from pipeline.decoding.normalisation import Formula, Sum
from pipeline.decoding.search import Search
from pipeline.models.seam import Searchable


class Greedy(Search):
    """The best next id at each step; of equal ones the lowest. The score is the log-probability."""

    def most(self) -> int:
        """One hypothesis."""
        return 1

    def formula(self) -> Formula:
        """The sum of log-probabilities."""
        return Formula(Sum())

    def walk(
        self, model: Searchable, batch: Batch, constraints: Constraints, n_best: int
    ) -> list[list[Found]]:
        """The one hypothesis of each source."""
        return _walk(model, batch, constraints).best(n_best)


def _walk(model: Searchable, batch: Batch, constraints: Constraints) -> Places:
    """Step until every source has ended; those that have leave the batch."""
    device = batch.source.values.device
    places = Places(batch.count, 1, int(constraints.limits.max()), device)
    rows = torch.arange(batch.count, device=device)
    totals = torch.zeros(batch.count, 1, dtype=torch.float64, device=device)
    ids = torch.full((batch.count, 1), BOS, dtype=torch.int64, device=device)
    history = ids[:, :, None][:, :, :0]  # [sources, 1, steps]
    state = model.encode(batch)
    for step in range(int(constraints.limits.max())):
        log_probs, _, state = model.advance(ids, state)
        forced = constraints.forced(step)
        log_probs = constraints.strike(log_probs, history, step, forced)
        totals, ids, beams = candidates.best(log_probs, totals, forced, 1)
        history = torch.cat([history, ids[:, :, None]], dim=2)
        constraints = constraints.follow(beams, ids)
        ended = ids == EOS
        if bool(ended.any()):
            places.add(rows, ended, history, totals, totals)
            stay = kept(~ended[:, 0])
            assert stay is not None, "somebody has ended"
            if not len(stay):
                break
            first = torch.zeros_like(stay)[:, None]
            state, constraints = state.select(stay, first), constraints.select(stay, first)
            rows, totals, ids, history = rows[stay], totals[stay], ids[stay], history[stay]
    return places
