"""Where a run goes on from: its newest checkpoint, or after a fault its last planned one.

Rank 0 looks for it, loads it and shares it: only its host need have the run's folder, and every
worker has the same bits by construction.
"""

from pathlib import Path

from pipeline.problems import Problem
from pipeline.training.clerk import Clerk
from pipeline.training.recovery import Recovery
from pipeline.training.state import TrainingState, from_json
from pipeline.training.step import Hands, Step

OTHER_MODEL = (
    "the code of the model has changed since: undo that, or raise ENGINE in "
    "pipeline/training/runkey.py, which begins another run and leaves this one as it is"
)


def resumed(hands: Hands, clerk: Clerk, folder: Path) -> TrainingState:
    """Take over the newest checkpoint of `folder` (state/RUNKEY) that verifies, on every worker."""
    name = hands.team.tell(clerk.resume())
    if not name:
        clerk.event(0, "started")
        return TrainingState()
    state = _taken_over(hands, clerk, folder / "checkpoints" / name)
    clerk.event(state.step, "resumed")
    return state


def fault(before: TrainingState, step: Step, state: TrainingState, recovery: Recovery) -> str:
    """Why a run cannot go on from `state`, which `step` has made of `before`; "" where it can."""
    if state.skipped_in_a_row >= recovery.max_skipped_steps:
        return (
            f"loss or gradient was not finite in {state.skipped_in_a_row} steps in a row, "
            f"the last of them step {state.step}"
        )
    limit = before.spread.limit(recovery)
    if step.taken and step.loss > limit:
        return (
            f"the loss of step {state.step}, {step.loss:.4g}, is above {limit:.4g}: far outside "
            f"its running spread, with the mean {before.spread.mean:.4g}"
        )
    return ""


def gone_back(
    hands: Hands, clerk: Clerk, folder: Path, state: TrainingState, recovery: Recovery, why: str
) -> TrainingState:
    """Take over the last planned checkpoint that verifies, on every worker, behind the groups
    consumed since."""
    name = hands.team.tell(clerk.planned())
    if not name:
        raise Problem(
            f"{why}; no planned checkpoint is left to go back to",
            where=str(folder / "checkpoints"),
            remedy="move the folder away and run the same command again: training begins anew",
        )
    checkpoint = _taken_over(hands, clerk, folder / "checkpoints" / name)
    back = state.back_at(checkpoint, recovery.rate_factor)
    clerk.event(
        state.step,
        f"{why}: back to step {back.step}, learning rates x {back.rate_factor:g}",
    )
    return back


def _taken_over(hands: Hands, clerk: Clerk, path: Path) -> TrainingState:
    """Take over the checkpoint that the clerk of rank 0 loads."""
    loaded, team = clerk.load(path.name), hands.team
    weights = team.share(loaded.weights if loaded else {})
    hands.holding.set_weights(weights, where=str(path), remedy=OTHER_MODEL)
    hands.load(team.share(loaded.optimizer if loaded else {}))
    return from_json(team.tell(loaded.state.as_json() if loaded else None))
