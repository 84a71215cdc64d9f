"""One step: a pure function of weights, optimiser state, the step's number and its group.

Order: sum over slots, sum over workers, norm, clip, step, moving average. Counts of the whole group
are known before the first backward; whether the step is taken is decided from the reduced loss and
norm, so that all workers agree.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from pipeline.batches.batch import EOS, Batch, on_device
from pipeline.batches.collate import batch_of
from pipeline.batches.share import Supply
from pipeline.models.seam import Chance
from pipeline.training.holding import Copies, GroupGradient, Holding
from pipeline.training.memory import fitted, slot
from pipeline.training.moving_average import MovingAverage
from pipeline.training.optimizer import Optimizer
from pipeline.training.team import Team
from pipeline.training.weights import Learner

EMPTY = np.array([EOS], np.int32)  # a source without an id of its own


@dataclass(frozen=True, slots=True)
class Step:
    """What happened in a step. Losses are means of the whole group."""

    number: int
    loss: float  # the weighted sum of the terms
    losses: Mapping[str, float]  # each term's sum over its count
    counts: Mapping[str, int]
    gradient_norm: float
    rate: float
    tokens: int  # target tokens of the group
    taken: bool  # False: loss or gradient was not finite, and the weights stayed as they were
    stop: bool  # some worker was asked to stop after this step
    supply: Supply | None = None  # how its group came
    cuts: int = 0  # how often a slot was cut in two because memory was short, over all workers


@dataclass(frozen=True, slots=True)
class Hands:
    """What a worker takes steps with."""

    holding: Holding
    gradient: GroupGradient
    optimizer: Optimizer
    team: Team
    clip_norm: float | None
    average: MovingAverage | None
    changing: Callable[[], object] = bool  # called before weights change

    def weights(self) -> dict[str, Tensor]:
        """All weights by name."""
        own = {name: one.detach() for name, one in self.holding.parameters.items()}
        return self.holding.whole(own)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, beside weights and gradient."""
        average = self.average.state() if self.average else {}
        return self.holding.whole({**self.optimizer.state(), **average})

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Take over what `state` gave."""
        own = self.holding.parts(state)
        self.optimizer.load(own)
        if self.average:
            self.average.load(own)


def hands_of(
    model: Learner,
    optimizer: Optimizer,
    team: Team,
    clip_norm: float | None,
    *,
    average: MovingAverage | None = None,
    holding: Holding | None = None,
) -> Hands:
    """Hands for `model`; its gradient also carries losses, the wish to stop, and cuts."""
    holding = holding or Copies(model)
    gradient = holding.gradient(extras=len(model.weights) + 2)
    return Hands(holding, gradient, optimizer, team, clip_norm, average)


def take(
    hands: Hands,
    share: Sequence[Batch],
    chance: Chance,
    *,
    rate: float,
    tokens: int,
    stop: bool,
    idle: int = 0,
) -> Step:
    """Take the step of a group of which `share` is this worker's part (it may be empty), and `idle`
    slots more that count nothing.

    DoesNotFitError where memory is short for a single example, ShortageError where it is for a slot
    that cannot be cut.
    """
    model, gradient = hands.holding.learner, hands.gradient
    counts = group_counts(model, share, hands.team)

    def work(slots: Sequence[Batch]) -> dict[str, Tensor]:
        gradient.clear()
        sums = backward(model, slots, counts, chance, partial(gradient.leaving, hands.team))
        idled(model, idle, chance, hands.team.device)
        return sums

    with hands.team.together():
        sums, cuts = fitted(share, work) if hands.holding.alone else (work(share), 0)
    gradient.extras[:-2] = torch.stack([*sums.values()])
    gradient.extras[-2].fill_(float(stop))
    gradient.extras[-1].fill_(float(cuts))
    *totals, wish, all_cuts, norm = gradient.reduce(hands.team)
    losses = {
        term: total / max(1, counts[term]) for term, total in zip(counts, totals, strict=True)
    }
    loss = sum(model.weights[term] * value for term, value in losses.items())
    taken = math.isfinite(norm) and math.isfinite(loss)
    if taken:
        hands.changing()
        gradient.clip(norm, hands.clip_norm)
        hands.optimizer.step(rate)
        if hands.average:
            hands.average.add()
    return Step(
        chance.step, loss, losses, counts, norm, rate, tokens, taken, wish > 0, cuts=round(all_cuts)
    )


def group_counts(model: Learner, share: Sequence[Batch], team: Team) -> dict[str, int]:
    """Each term's count over the whole group, from the batches alone.

    A team of several waits here for its device a second time in a step, but with nothing to do.
    """
    own = dict.fromkeys(model.weights, 0)
    for batch in share:
        for term, count in model.counts(batch).items():
            own[term] += count
    if team.count == 1:
        return own
    total = on_device(list(own.values()), team.device)
    team.sum_(total)
    return dict(zip(own, total.tolist(), strict=True))


def backward(
    model: Learner,
    share: Sequence[Batch],
    counts: Mapping[str, int],
    chance: Chance,
    last: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> dict[str, Tensor]:
    """Add the share's gradient of the group's loss; each term's sum over the share.

    The last slot is worked on within `last`.

    ShortageError where memory is short for a slot, of whose gradient a part may have been added.
    """
    scales = {t: model.weights[t] / count if count else 0.0 for t, count in counts.items()}
    parameter = next(iter(model.named_parameters()))[1]
    zero = torch.zeros((), dtype=parameter.dtype, device=parameter.device)
    sums = {term: zero.clone() for term in counts}
    for number, batch in enumerate(share):
        within = last if number == len(share) - 1 else nullcontext
        with slot(number), within():
            losses = model.losses(batch, chance)
            used = [term for term, scale in scales.items() if scale and term in losses]
            if used:
                torch.stack([losses[term] * scales[term] for term in used]).sum().backward()
            for term in used:
                sums[term] += losses[term].detach()
    return sums


def idled(model: Learner, slots: int, chance: Chance, device: torch.device) -> None:
    """Work on so many slots of an empty pair, whose losses count nothing."""
    for _ in range(slots):
        pair = batch_of([EMPTY], [EMPTY[:0]], np.zeros(1, np.int64)).to(device)
        losses = model.losses(pair, chance).values()
        (torch.stack([*losses]).sum() * 0.0).backward()
