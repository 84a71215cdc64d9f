"""Fit: steps with validation and checkpoints between them, from the newest checkpoint on.

Nothing here knows what a model is for: `validate` is handed in, and training sees only the seam.
"""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch

from pipeline.batches.collate import Examples
from pipeline.problems import Problem
from pipeline.training.checkpoint import Checkpoint, load
from pipeline.training.clerk import Clerk, Silent, Writer
from pipeline.training.lease import take_lease
from pipeline.training.loop import course_of, steps
from pipeline.training.moving_average import MovingAverage
from pipeline.training.settings import Training
from pipeline.training.state import TrainingState, is_finite
from pipeline.training.step import Hands, Learner, hands_of
from pipeline.training.team import Team
from pipeline.training.weights import average, digest_of, set_weights, weights_of

M = TypeVar("M", bound=Learner)
OTHER_MODEL = (
    "the code of the model has changed since: undo that, or raise ENGINE in "
    "pipeline/training/runkey.py, which begins another run and leaves this one as it is"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and with how many hands a run is made; nothing here changes a step."""

    folder: Path  # state/RUNKEY
    owner: str  # of the lease: whoever started this run's workers
    slot_cost: int
    checkpoint_seconds: float
    stop: Callable[[], bool]  # asked at every step, on every worker


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. The model holds the resulting weights when it is finished."""

    state: TrainingState
    finished: bool  # False: it was asked to stop, and goes on from its checkpoint
    scores: Mapping[str, float]  # of the resulting weights


@dataclass(frozen=True, slots=True)
class _Run:
    """What stays the same from the first step to the last."""

    hands: Hands
    settings: Training
    place: Place
    clerk: Clerk
    validate: Callable[[], Mapping[str, float]]
    watch: Callable[[], Mapping[str, float]]
    keep: Callable[[Outcome], object] | None


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
    team: Team | None = None,
) -> Outcome:
    """Train `model` in place, from the newest checkpoint on, to the end or to a wish to stop.

    Every worker of a team calls this with the same arguments but its `team`. `validate` gives the
    same scores on each: `loss` and, where `settings.best_by` names one, that metric.
    `watch` gives numbers that stand beside the scores and decide nothing. `lesson` is `model` as it
    is taught, where its own losses are not what steps are taken on.
    `keep` writes the result of a run that is finished, when `model` holds it; one worker calls it.
    """
    team = team or Team()
    hands = _hands(lesson or model, settings, team)
    told = partial(watch, model) if watch else dict[str, float]
    run = _Run(hands, settings, place, _clerk(place, team), partial(validate, model), told, keep)
    state = _resumed(run)
    _refuse_different_weights(hands)
    course = course_of(examples, settings, place.slot_cost)
    walk = steps(hands, course, settings, start=state.position, done=state.step, stop=place.stop)
    for step, position in () if state.stopped_early else walk:
        state = state.after(step, position)
        run.clerk.step(step, state)
        _refuse_divergence(run, state)
        if state.step % settings.validate_every_steps == 0 or state.step == settings.steps:
            state = _validated(run, state, step.rate)
        _save_where_due(run, state, step.stop)
        if step.stop or state.stopped_early:
            break
    if state.step < settings.steps and not state.stopped_early:
        run.clerk.event(state.step, "stopped")
        return Outcome(state, False, {})
    return _finished(run, state)


def _hands(learner: Learner, settings: Training, team: Team) -> Hands:
    parameters = dict(learner.named_parameters())
    optimizer, decay = settings.optimizer.build(parameters), settings.moving_average
    average = None if decay is None else MovingAverage(decay, parameters)
    return hands_of(learner, optimizer, team, settings.optimizer.clip_norm, average=average)


def _clerk(place: Place, team: Team) -> Clerk:
    """Only here does a worker's rank decide anything."""
    if team.rank == 0:
        return Writer(take_lease(place.folder, place.owner), place.checkpoint_seconds)
    return Silent()


def _resumed(run: _Run) -> TrainingState:
    """Take over the newest checkpoint that verifies, the same on every worker."""
    hands, clerk = run.hands, run.clerk
    name = hands.team.tell(clerk.resume())
    if not name:
        clerk.event(0, "started")
        return TrainingState()
    path = run.place.folder / "checkpoints" / name
    checkpoint = load(path)
    set_weights(hands.model, checkpoint.weights, where=str(path), remedy=OTHER_MODEL)
    hands.load(checkpoint.optimizer)
    clerk.event(checkpoint.state.step, "resumed")
    return checkpoint.state


def _refuse_different_weights(hands: Hands) -> None:
    """Who begins with other weights than the rest would take other steps, and nobody would know."""
    digests = hands.team.gather(digest_of(hands.model))
    odd = [rank for rank, digest in enumerate(digests) if digest != digests[0]]
    if odd:
        raise Problem(
            "not all workers begin with the same weights",
            where=f"worker {odd[0]} of {hands.team.count}",
            value=f"digest {digests[odd[0]][:16]}, that of worker 0 is {digests[0][:16]}",
            remedy="give every host the same code, the same build of torch and alike processors",
        )


def _refuse_divergence(run: _Run, state: TrainingState) -> None:
    if state.skipped_in_a_row >= run.settings.max_skipped_steps:
        raise Problem(
            f"the gradient was not finite in {state.skipped_in_a_row} steps in a row, "
            f"the last of them step {state.step}",
            where="params.yaml, training",
            remedy="lower schedule.peak_rate or lengthen schedule.warmup_steps",
        )


def _validated(run: _Run, state: TrainingState, rate: float) -> TrainingState:
    """Score the weights (where there is a moving average: that), and judge them."""
    average, training = run.hands.average, run.settings
    with average.shown() if average else nullcontext():
        scores = _scores(run, state)
        state = state.judged(
            scores,
            rate,
            by=training.best_by,
            keep=training.average_best,
            patience=training.patience,
            gradients=run.watch(),
        )
        run.clerk.scores(scores, state, weights_of(run.hands.model))
    if state.stopped_early:
        run.clerk.event(state.step, "stopped early")
    return state


def _scores(run: _Run, state: TrainingState) -> Mapping[str, float]:
    with torch.no_grad():
        scores = run.validate()
    if not is_finite(scores):
        raise Problem(
            f"validation after step {state.step} gave a score that is not finite",
            where="params.yaml, training",
            value=dict(scores),
            remedy="lower schedule.peak_rate or lengthen schedule.warmup_steps",
        )
    return scores


def _save_where_due(run: _Run, state: TrainingState, stop: bool) -> None:
    """Planned checkpoints come by steps, unplanned ones by the clock and by the wish to stop."""
    last = state.step == run.settings.steps or state.stopped_early
    planned = last or state.step % run.settings.checkpoint_every_steps == 0
    if planned or stop or run.clerk.late():
        weights = weights_of(run.hands.model)
        run.clerk.save(Checkpoint(weights, run.hands.state(), state, planned))


def _finished(run: _Run, state: TrainingState) -> Outcome:
    """Put the average of the best weights into the model, and score it where it is a new one."""
    run.hands.team.tell(None)  # nobody reads before the clerk has written
    best = [run.place.folder / "best" / f"{step:08d}" for step in state.best]
    set_weights(run.hands.model, average(best))
    if len(best) > 1:
        scores = _scores(run, state)
    else:
        scores = next(row.scores for row in state.curve if row.step in state.best)
    outcome = Outcome(state, True, scores)
    if run.keep:
        run.clerk.keep(partial(run.keep, outcome))
    run.clerk.event(state.step, "finished")
    return outcome
