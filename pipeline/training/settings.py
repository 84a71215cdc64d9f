"""The section `training` of params.yaml: everything about training that changes the weights."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, SerializeAsAny, model_validator

from pipeline.choose import chosen
from pipeline.models.rdrop import RDrop
from pipeline.models.scheduled_sampling import ScheduledSampling
from pipeline.settings import Settings
from pipeline.training import OPTIMIZERS, SCHEDULES
from pipeline.training.optimizer import AdamW
from pipeline.training.recovery import Recovery
from pipeline.training.schedule import Schedule

# Those of the metric `bleu`, whose library (sacreBLEU) a bare GPU machine need not have.
BleuTokenizer = Literal["auto", "13a", "intl", "char", "none", "zh", "ja-mecab", "ko-mecab"]
BestBy = Literal[
    "bleu",
    "character_error_rate",
    "chrf",
    "exact_match",
    "loss",
    "row_error_rate",
    "word_error_rate",
]


class Training(Settings):
    """How a model is trained."""

    seed: int = Field(1, ge=0)
    """First weights, the order of the examples and dropout are pure functions of it."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """What matrix products are computed in; weights and sums are kept in fp32. A processor without
    instructions for bf16 imitates them, many times slower than fp32."""
    steps: PositiveInt
    """Length of the run. The schedule counts steps, never seconds."""
    tokens_per_step: PositiveInt
    """Target pieces (EOS counted) that one step consumes: the unit of the learning rate."""
    schedule: Annotated[SerializeAsAny[Schedule], chosen(SCHEDULES)]
    """Learning rate by step."""
    optimizer: Annotated[SerializeAsAny[AdamW], chosen(OPTIMIZERS)]
    """From gradient to step."""
    validate_every_steps: PositiveInt
    """Steps between validations; the last step is validated in any case."""
    checkpoint_every_steps: PositiveInt
    """Steps between planned checkpoints. Unplanned ones come by the clock: machine.yaml."""
    patience: PositiveInt | None = None
    """Validations without progress before the run stops; null: never."""
    best_by: BestBy = "bleu"
    """What validations are compared by: the loss, or a metric of what greedy search makes of the
    sources against the rows' own targets. Scores are to be high, the loss and error rates low."""
    bleu_tokenizer: BleuTokenizer = "auto"
    """How validation's BLEU cuts words, as the metric `bleu` of the tests does: auto, by the target
    language of the valid rows (zh, ja, ko have their own, else 13a; 13a where they differ)."""
    average_best: PositiveInt = 1
    """How many of the best validated weights the result is the average of; 1: the best."""
    moving_average: float | None = Field(None, gt=0, lt=1)
    """Validate, keep and export an exponential moving average of the weights, of this decay (for
    example 0.999: of about the last 1,000 steps); null: the weights themselves."""
    scheduled_sampling: ScheduledSampling | None = None
    """Have prefixes hold the model's own predictions, more and more often; null: never."""
    r_drop: RDrop | None = None
    """Make two passes with different dropout agree; null: one pass."""
    recovery: Recovery = Recovery()
    """What is done about losses and gradients that are not finite, or far too large."""
    start: Path = Path("data/none")
    """A package whose weights are the first ones; an empty folder: drawn from the seed."""

    @model_validator(mode="after")
    def _warm_up_fits(self) -> Self:
        if self.schedule.warmup_steps > self.steps:
            raise ValueError(
                f"schedule.warmup_steps ({self.schedule.warmup_steps}) is more than "
                f"steps ({self.steps})"
            )
        return self
