"""Fit: steps with validation and checkpoints between them, from the newest checkpoint on.

Nothing here knows what a model is for: `validate` is handed in, and training sees only the seam.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from pipeline.batches.collate import Examples
from pipeline.problems import Problem
from pipeline.training.checkpoint import Checkpoint, load
from pipeline.training.clerk import Clerk, Silent, Writer
from pipeline.training.lease import take_lease
from pipeline.training.loop import course_of, steps
from pipeline.training.settings import Training
from pipeline.training.state import TrainingState, is_finite
from pipeline.training.step import Hands, Learner, Step, hands_of
from pipeline.training.team import Team
from pipeline.training.weights import average, set_weights, weights_of

Validate = Callable[[Learner], Mapping[str, float]]


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


def fit(
    model: Learner,
    examples: Examples,
    settings: Training,
    place: Place,
    *,
    validate: Validate,
    team: Team | None = None,
) -> Outcome:
    """Train `model` in place. Every worker calls this with the same arguments but its team."""
    team = team or Team()
    clerk = _clerk(place, team)
    hands = _hands(model, settings, team)
    state = _resume(hands, clerk, place)
    course = course_of(examples, settings, place.slot_cost)
    walk = steps(hands, course, settings, start=state.position, done=state.step, stop=place.stop)
    for step, position in () if state.stopped_early else walk:
        state = state.after(step, position)
        clerk.step(step, state)
        _refuse_divergence(state, settings)
        if state.step % settings.validate_every_steps == 0 or state.step == settings.steps:
            state = _validated(hands, state, step, settings, validate, clerk)
        _save_where_due(hands, state, step, settings, clerk)
        if step.stop or state.stopped_early:
            break
    if state.step < settings.steps and not state.stopped_early:
        clerk.event(state.step, "stopped")
        return Outcome(state, False, {})
    return _finished(hands, state, place, settings, validate, clerk)


def _clerk(place: Place, team: Team) -> Clerk:
    """Only here does a worker's rank decide anything."""
    if team.rank == 0:
        return Writer(take_lease(place.folder, place.owner), place.checkpoint_seconds)
    return Silent()


def _hands(model: Learner, settings: Training, team: Team) -> Hands:
    optimizer = settings.optimizer.build(dict(model.named_parameters()))
    return hands_of(model, optimizer, team, settings.optimizer.clip_norm)


def _resume(hands: Hands, clerk: Clerk, place: Place) -> TrainingState:
    """Take over the newest checkpoint that verifies, the same on every worker."""
    weights = hands.optimizer.parameters
    shapes = {name: tuple(parameter.shape) for name, parameter in weights.items()}
    name = hands.team.tell(clerk.resume(shapes))
    if not name:
        clerk.event(0, "started")
        return TrainingState()
    checkpoint = load(place.folder / "checkpoints" / name)
    set_weights(hands.model, checkpoint.weights)
    hands.optimizer.load(checkpoint.optimizer)
    clerk.event(checkpoint.state.step, "resumed")
    return checkpoint.state


def _refuse_divergence(state: TrainingState, settings: Training) -> None:
    if state.skipped_in_a_row >= settings.max_skipped_steps:
        raise Problem(
            f"the gradient was not finite in {state.skipped_in_a_row} steps in a row, "
            f"the last of them step {state.step}",
            where="params.yaml, training",
            remedy="lower schedule.peak_rate or lengthen schedule.warmup_steps",
        )


def _validated(
    hands: Hands,
    state: TrainingState,
    step: Step,
    settings: Training,
    validate: Validate,
    clerk: Clerk,
) -> TrainingState:
    scores = _scores(hands, validate, step.number)
    state = state.judged(
        scores,
        step.rate,
        by=settings.best_by,
        keep=settings.average_best,
        patience=settings.patience,
    )
    clerk.scores(scores, state, weights_of(hands.model))
    if state.stopped_early:
        clerk.event(state.step, "stopped early")
    return state


def _scores(hands: Hands, validate: Validate, number: int) -> Mapping[str, float]:
    with torch.no_grad():
        scores = validate(hands.model)
    if not is_finite(scores):
        raise Problem(
            f"validation after step {number} gave no finite score",
            where="params.yaml, training",
            value=dict(scores),
            remedy="lower schedule.peak_rate, or lengthen schedule.warmup_steps",
        )
    return scores


def _save_where_due(
    hands: Hands, state: TrainingState, step: Step, settings: Training, clerk: Clerk
) -> None:
    last = state.step == settings.steps or state.stopped_early
    planned = state.step % settings.checkpoint_every_steps == 0 or last
    if planned or step.stop or clerk.late():
        clerk.save(Checkpoint(weights_of(hands.model), hands.optimizer.state(), state, planned))


def _finished(
    hands: Hands,
    state: TrainingState,
    place: Place,
    settings: Training,
    validate: Validate,
    clerk: Clerk,
) -> Outcome:
    """Put the average of the best weights into the model, and score it where it is a new one."""
    set_weights(hands.model, average([place.folder / "best" / f"{s:08d}" for s in state.best]))
    if len(state.best) > 1:
        scores = _scores(hands, validate, state.step)
    else:
        scores = next(v.scores for v in state.curve if v.step == state.best[0])
    clerk.event(state.step, "finished")
    return Outcome(state, True, scores)
