"""A run: steps with validation and checkpoints between them, to the end or to a wish to stop."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from pipeline.batches.plan import Position
from pipeline.files import write_json
from pipeline.problems import Problem
from pipeline.training.checkpoint import Checkpoint
from pipeline.training.clerk import Clerk
from pipeline.training.loop import Course, steps
from pipeline.training.resume import fault, gone_back
from pipeline.training.settings import Training
from pipeline.training.standby import Standby
from pipeline.training.state import TrainingState, is_finite
from pipeline.training.step import Hands, Step
from pipeline.training.validation import StoppedError

FAULT = "fault.json"  # the ids of the examples that a run gave up at
NAMED = 4  # of them in the message


@dataclass(frozen=True, slots=True)
class Place:
    """Where and with how many hands a run is made; nothing here changes a step."""

    folder: Path  # state/RUNKEY
    owner: str  # of the lease: whoever started this run's workers
    slot_cost: int
    checkpoint_seconds: float
    stop: Callable[[], bool]  # asked at every step, on every worker
    overdue: Callable[[], bool] = bool  # asked by a thread: has the wish to stop waited for long?
    slow_share: float | None = None  # of the usual speed, below which a run is reported …
    silence_seconds: float | None = None  # … and how long nothing may end before that is


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to. The model holds the resulting weights when it is finished."""

    state: TrainingState
    finished: bool  # False: it was asked to stop, and goes on from its checkpoint
    scores: Mapping[str, float]  # of the resulting weights


@dataclass(frozen=True, slots=True)
class Run:
    """What stays the same from the first step to the last."""

    hands: Hands
    course: Course
    settings: Training
    place: Place
    clerk: Clerk
    standby: Standby
    validate: Callable[[], Mapping[str, float]]
    watch: Callable[[], Mapping[str, float]]
    keep: Callable[[Outcome], object] | None


def fitted(run: Run, state: TrainingState) -> Outcome:
    """Go on from `state`, whose weights the model has, the same on every worker."""
    stopped = False
    if state == TrainingState():
        _save(run, state, planned=True)  # so that there is always one to go back to
    while not stopped and (not _done(run, state) or _unjudged(run, state)):
        state, stopped = _advanced(run, state)
    with suppress(StoppedError):
        if _done(run, state) and not stopped:
            return _finished(run, state)
    run.clerk.wait()
    run.clerk.event(state.step, "stopped")
    return Outcome(state, False, {})


def _done(run: Run, state: TrainingState) -> bool:
    return state.step == run.settings.steps or state.stopped_early


def _advanced(run: Run, state: TrainingState) -> tuple[TrainingState, bool]:
    """Take steps to the end, to a wish to stop (then True), or to a fault, which takes it back."""
    if _unjudged(run, state):  # its validation was cut short
        state, stop, why = _validated(run, state)
        if why:
            state = _back(run, state, state, why)
        _save_where_due(run, state, went_back=bool(why), stop=stop)
        if why or stop or state.stopped_early:
            return state, stop
    run.standby.reached(state)
    for step, position in _steps(run, state):
        before, state = state, state.after(step, position, run.settings.recovery)
        run.clerk.step(step, state)
        why, stop = fault(before, step, state, run.settings.recovery), step.stop
        if not why and _unjudged(run, state):
            state, cut, why = _validated(run, state)
            stop = stop or cut
        if why:
            state = _back(run, before, state, why)
        _save_where_due(run, state, went_back=bool(why), stop=stop)
        if why or stop or state.stopped_early:
            return state, stop
        run.standby.reached(state)
    return state, False


def _steps(run: Run, state: TrainingState) -> Iterator[tuple[Step, Position]]:
    return steps(
        run.hands,
        run.course,
        run.settings,
        start=state.position,
        done=state.step,
        rate_factor=state.rate_factor,
        stop=run.place.stop,
    )


def _unjudged(run: Run, state: TrainingState) -> bool:
    """Is a validation of this state due, and not in the curve?"""
    due = _every(run.settings.validate_every_steps, state) or _done(run, state)
    return due and 0 < state.step != (state.curve[-1].step if state.curve else 0)


def _every(steps: int, state: TrainingState) -> bool:
    return state.step % steps == 0


def _back(run: Run, before: TrainingState, state: TrainingState, why: str) -> TrainingState:
    """Go back to the last planned checkpoint; a Problem where that was done often enough."""
    recovery, folder = run.settings.recovery, run.place.folder
    run.standby.changing()
    if state.rollbacks < recovery.max_rollbacks:
        return gone_back(run.hands, run.clerk, folder, state, recovery, why)
    names = run.course.names(before.position)
    told = {"step": state.step, "why": why, "examples": names}
    run.clerk.keep(partial(write_json, folder / FAULT, told))
    raise Problem(
        f"{why}; the run went back {state.rollbacks} times before",
        where="params.yaml, training",
        value=f"examples {', '.join(names[:NAMED])} … ({len(names)} in all: {folder / FAULT})",
        remedy="look at these examples, lower schedule.peak_rate or lengthen schedule.warmup_steps",
    )


def _validated(run: Run, state: TrainingState) -> tuple[TrainingState, bool, str]:
    """Score the weights (where there is a moving average: that), and judge them.

    The state as it was, and True, where the wish to stop came first; and why, where a score that is
    not finite shows that the run cannot go on from here.
    """
    training = run.settings
    run.standby.changing()
    with run.hands.holding.shown(run.hands.average) as weights:
        try:
            scores = _scores(run)
        except StoppedError:
            return state, True, ""
        if not is_finite(scores):
            return state, False, f"validation after step {state.step} gave {_named(scores)}"
        state = state.judged(
            scores,
            training.schedule.rate(state.step, training.steps) * state.rate_factor,
            by=training.best_by,
            keep=training.average_best,
            patience=training.patience,
            gradients=run.watch(),
        )
        run.clerk.scores(scores, state, weights)
    if state.stopped_early:
        run.clerk.event(state.step, "stopped early")
    return state, False, ""


def _scores(run: Run) -> Mapping[str, float]:
    with torch.no_grad():
        return run.validate()


def _named(scores: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in scores.items())


def _save_where_due(run: Run, state: TrainingState, *, went_back: bool, stop: bool) -> None:
    """Planned checkpoints come by steps, unplanned ones by the clock and by the wish to stop.

    While steps are not taken, none is planned: it would be no better to go back to.
    """
    due = went_back or _done(run, state) or _every(run.settings.checkpoint_every_steps, state)
    if due or stop or run.hands.holding.agreed(run.clerk.late(), run.hands.team):
        _save(run, state, planned=due and not state.skipped_in_a_row)


def _save(run: Run, state: TrainingState, *, planned: bool) -> None:
    run.clerk.save(Checkpoint(run.hands.weights(), run.hands.state(), state, planned))


def _finished(run: Run, state: TrainingState) -> Outcome:
    """Put the average of the best weights into the model, and score it where it is a new one."""
    run.standby.changing()
    run.clerk.wait()  # it reads what it has written
    best = run.hands.team.share(run.clerk.average(state.best_groups))
    run.hands.holding.set_weights(best)
    if len(state.best) > 1:
        with run.hands.holding.shown(None):
            scores = _scores(run)
    else:
        scores = next(row.scores for row in state.curve if row.step in state.best)
    outcome = Outcome(state, True, scores)
    if run.keep:
        run.clerk.keep(partial(run.keep, outcome))
    run.clerk.keep(partial((run.place.folder / FAULT).unlink, missing_ok=True))
    run.clerk.event(state.step, "finished")
    return outcome
