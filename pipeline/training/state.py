"""The training state: what the next step and the result depend on, beside weights and optimiser.

All of it is in every checkpoint. It is frozen; a step or a validation makes the next one.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipeline.batches.plan import Position
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


@dataclass(frozen=True, slots=True)
class TrainingState:
    """Where a run stands after `step` groups."""

    step: int = 0
    position: Position = START
    tokens: int = 0  # target tokens consumed so far
    skipped: int = 0  # steps not taken: their gradient was not finite
    skipped_in_a_row: int = 0
    loss: float = 0.0  # sum of the losses since the last validation …
    losses: int = 0  # … and how many
    curve: tuple[Validation, ...] = ()
    best: tuple[int, ...] = ()  # steps of the best validations, the best first
    stale: int = 0  # validations since the best one
    stopped_early: bool = False

    def after(self, step: Step, position: Position) -> "TrainingState":
        """The state after a step."""
        return replace(
            self,
            step=step.number,
            position=position,
            tokens=self.tokens + step.tokens,
            skipped=self.skipped + (not step.taken),
            skipped_in_a_row=0 if step.taken else self.skipped_in_a_row + 1,
            loss=self.loss + (step.loss if step.taken else 0.0),
            losses=self.losses + step.taken,
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
        row = Validation(self.step, loss, rate, dict(scores), dict(gradients))
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
    fields["curve"] = tuple(Validation(**row) for row in fields["curve"])
    fields["best"] = tuple(fields["best"])
    return TrainingState(**fields)
