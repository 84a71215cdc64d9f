"""The training state: what the next step and the result depend on, beside weights and optimiser.

All of it is in every checkpoint. It is frozen; a step or a validation makes the next one.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipeline.batches.plan import Position
from pipeline.training.recovery import Recovery, RunningSpread
from pipeline.training.step import Step

START = Position()
FALLING = ("loss", "character_error_rate", "row_error_rate", "word_error_rate")  # lower is better


@dataclass(frozen=True, slots=True)
class Validation:
    """One row of the curves: what was seen after `step`."""

    step: int
    train_loss: float  # mean over the steps since the row before, nats per target token
    rate: float  # the last learning rate
    scores: Mapping[str, float]  # loss, bleu or another metric
    gradients: Mapping[str, float] = field(default_factory=dict[str, float])  # norms, by place
    undone: int = 0  # of the state that was validated


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Where a run stands after `step` steps."""

    step: int = 0
    position: Position = START
    tokens: int = 0  # target tokens consumed so far
    skipped: int = 0  # steps not taken: their loss or gradient was not finite
    skipped_in_a_row: int = 0
    rollbacks: int = 0  # how often the run went back to a checkpoint …
    undone: int = 0  # … how many steps that took back, whose groups stay consumed …
    rate_factor: float = 1.0  # … and what is left of the learning rates
    spread: RunningSpread = field(default_factory=RunningSpread)  # of the losses
    loss: float = 0.0  # sum of the losses since the last validation …
    losses: int = 0  # … and how many
    curve: tuple[Validation, ...] = ()
    best: tuple[int, ...] = ()  # steps of the best validations, the best first
    stale: int = 0  # validations since the best one
    stopped_early: bool = False

    @property
    def groups(self) -> int:
        """Groups consumed: it only grows, and so names what is kept of a run."""
        return self.step + self.undone

    @property
    def best_groups(self) -> tuple[int, ...]:
        """The groups that were consumed at each of the best validations, the best first."""
        groups = {row.step: row.step + row.undone for row in self.curve}
        return tuple(groups[step] for step in self.best)

    def after(self, step: Step, position: Position, recovery: Recovery) -> "TrainingState":
        """The state after a step."""
        spread = self.spread.add(step.loss, recovery.spread_steps) if step.taken else self.spread
        return replace(
            self,
            step=step.number,
            position=position,
            tokens=self.tokens + step.tokens,
            skipped=self.skipped + (not step.taken),
            skipped_in_a_row=0 if step.taken else self.skipped_in_a_row + 1,
            loss=self.loss + (step.loss if step.taken else 0.0),
            losses=self.losses + step.taken,
            spread=spread,
        )

    def back_at(self, checkpoint: "TrainingState", factor: float) -> "TrainingState":
        """The state of a checkpoint, behind the groups consumed since, with smaller rates.

        The next step has the number that followed the checkpoint, so the schedule and the length
        of the run stay what they are; it consumes the group after the last one of all.
        """
        return replace(
            checkpoint,
            position=self.position,
            tokens=self.tokens,
            skipped=self.skipped,
            skipped_in_a_row=0,
            rollbacks=self.rollbacks + 1,
            undone=self.groups - checkpoint.step,
            rate_factor=self.rate_factor * factor,
        )

    def judged(
        self,
        scores: Mapping[str, float],
        rate: float,
        *,
        by: str,
        keep: int,
        patience: int | None,
        gradients: Mapping[str, float],
    ) -> "TrainingState":
        """The state after a validation: curve, the `keep` best, and whether to stop early."""
        loss = self.loss / max(1, self.losses)
        row = Validation(self.step, loss, rate, dict(scores), dict(gradients), self.undone)
        curve = (*self.curve, row)
        ranked = sorted(curve, key=lambda v: (-goodness(v.scores, by), v.step))
        stale = 0 if ranked[0].step == self.step else self.stale + 1
        return replace(
            self,
            loss=0.0,
            losses=0,
            curve=curve,
            best=tuple(v.step for v in ranked[:keep]),
            stale=stale,
            stopped_early=patience is not None and stale >= patience,
        )

    def as_json(self) -> dict[str, Any]:
        """Plain values; numbers keep every bit."""
        return asdict(self)


def is_finite(scores: Mapping[str, float]) -> bool:
    """Is every score a finite number?"""
    return all(math.isfinite(value) for value in scores.values())


def goodness(scores: Mapping[str, float], by: str) -> float:
    """A number that is higher where scores are better."""
    return -scores[by] if by in FALLING else scores[by]


def from_json(value: Mapping[str, Any]) -> TrainingState:
    """What `as_json` wrote."""
    fields = dict(value)
    fields["position"] = Position(**fields["position"])
    fields["spread"] = RunningSpread(**fields["spread"])
    fields["curve"] = tuple(Validation(**row) for row in fields["curve"])
    fields["best"] = tuple(fields["best"])
    return TrainingState(**fields)
