"""Fit: steps with validation and checkpoints between them, from the newest checkpoint on.

Nothing here knows what a model is for: `validate` is handed in, and training sees only the seam.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from pipeline.batches.collate import Examples
from pipeline.lookout import lookout
from pipeline.problems import Problem
from pipeline.training.background import Background
from pipeline.training.clerk import Clerk, Silent
from pipeline.training.gauge import Gauge
from pipeline.training.holding import Copies, Holding
from pipeline.training.lease import take_lease
from pipeline.training.loop import course_of
from pipeline.training.moving_average import MovingAverage
from pipeline.training.pace import Pace
from pipeline.training.resume import resumed
from pipeline.training.run import Outcome, Place, Run, fitted
from pipeline.training.settings import Training
from pipeline.training.standby import Standby
from pipeline.training.step import Hands, hands_of
from pipeline.training.team import Team
from pipeline.training.watchdog import Watchdog
from pipeline.training.weights import Learner, digest_of, weights_of
from pipeline.training.writer import Writer

M = TypeVar("M", bound=Learner)
SECONDS_PER_LOOK = 1.0


def fit(
    model: M,
    examples: Examples,
    settings: Training,
    place: Place,
    *,
    validate: Callable[[M], Mapping[str, float]],
    watch: Callable[[M], Mapping[str, float]] | None = None,
    lesson: Learner | None = None,
    keep: Callable[[Outcome], object] | None = None,
    gauge: Gauge | None = None,
    holding: Holding | None = None,
    team: Team | None = None,
) -> Outcome:
    """Train `model` in place, from the newest checkpoint on, to the end or to a wish to stop.

    Every worker of a team calls this with the same arguments but its `team`. `validate` gives the
    same scores on each: `loss` and, where `settings.best_by` names one, that metric.
    `watch` gives numbers that stand beside the scores and decide nothing. `lesson` is `model` as it
    is taught, where its own losses are not what steps are taken on.
    `keep` writes the result of a run that is finished, when `model` holds it; one worker calls it.
    `holding` is how the team holds what it trains; None: `lesson` on each worker, whole.
    `gauge` is what the speed of steps is held against, where progress is to tell that.
    """
    team, holding = team or Team(), holding or Copies(lesson or model)
    hands, course = _hands(holding, settings, team), course_of(examples, settings, place.slot_cost)
    standby = Standby(hands.weights, hands.state, alone=holding.alone)
    hands = replace(hands, changing=standby.changing)
    told = partial(watch, model) if watch else dict[str, float]
    with Background() as background:
        clerk = _clerk(place, team, background, standby, Pace(gauge, team.device))
        scores = partial(validate, model)
        run = Run(hands, course, settings, place, clerk, standby, scores, told, keep)
        with lookout(clerk.look, every=SECONDS_PER_LOOK):
            state = resumed(hands, clerk, place.folder)
            _refuse_different_weights(model, team)
            return fitted(run, state)


def _hands(holding: Holding, settings: Training, team: Team) -> Hands:
    parameters = holding.parameters
    optimizer, decay = settings.optimizer.build(parameters), settings.moving_average
    average = None if decay is None else MovingAverage(decay, parameters)
    clip_norm = settings.optimizer.clip_norm
    return hands_of(holding.learner, optimizer, team, clip_norm, average=average, holding=holding)


def _clerk(place: Place, team: Team, background: Background, standby: Standby, pace: Pace) -> Clerk:
    """Only here does a worker's rank decide anything."""
    if team.rank != 0:
        return Silent()
    return Writer(
        take_lease(place.folder, place.owner),
        background,
        Watchdog(place.slow_share, place.silence_seconds, time.monotonic()),
        standby,
        pace,
        checkpoint_seconds=place.checkpoint_seconds,
        overdue=place.overdue,
    )


def _refuse_different_weights(model: Learner, team: Team) -> None:
    """Who begins with other weights than the rest would take other steps, and nobody would know."""
    digests = team.gather(digest_of(weights_of(model)))
    odd = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
    if odd:
        raise Problem(
            "not all workers begin with the same weights",
            where=f"worker {odd[0]} of {team.count}",
            value=f"digest {digests[odd[0]][:16]}, that of worker 0 is {digests[0][:16]}",
            remedy="give every host the same code, the same build of torch and alike processors",
        )
