"""A lesson: a model as it is taught, where its own losses are not all that steps are taken on.

Training knows only `weights`, `counts` and `losses`; so the tricks of training are a thing that has
these, around a model that knows nothing of them. Validation and search use the model itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from jaxtyping import Float
from torch import Tensor
from torch.nn import Parameter

from pipeline.batches.batch import Batch
from pipeline.models.rdrop import TERM, RDrop, disagreement
from pipeline.models.scheduled_sampling import ScheduledSampling
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import Model


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Prefixes by scheduled sampling, then R-Drop's two passes over them; each where it is set."""

    model: Model
    scheduled_sampling: ScheduledSampling | None
    r_drop: RDrop | None

    def __post_init__(self) -> None:
        """A Problem where they do not fit the model."""
        if self.r_drop:
            self.r_drop.check(self.model)

    def named_parameters(self) -> Iterable[tuple[str, Parameter]]:
        """The model's."""
        return self.model.named_parameters()

    @property
    def weights(self) -> Mapping[str, float]:
        """Of the model's terms, and of R-Drop's."""
        own = self.model.weights
        return {**own, **self.r_drop.weights} if self.r_drop else own

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """What each term's sum is divided by."""
        own = self.model.counts(batch)
        return {**own, **self.r_drop.counts(batch)} if self.r_drop else own

    def losses(self, batch: Batch, chance: Chance | None) -> Mapping[str, Float[Tensor, ""]]:
        """The sum of each term, in nats; in evaluation, the model's own."""
        if chance is None:
            return self.model.losses(batch, None)
        if self.scheduled_sampling:
            batch = self.scheduled_sampling.mixed(self.model, batch, chance)
        return self._twice(batch, chance) if self.r_drop else self.model.losses(batch, chance)

    def _twice(self, batch: Batch, chance: Chance) -> Mapping[str, Float[Tensor, ""]]:
        """The mean of two passes' terms, and their disagreement."""
        passes = [self.model.passed(batch, turn) for turn in (chance, replace(chance, turn=1))]
        one, other = (self.model.score(batch, *each) for each in passes)
        mean = {term: (one[term] + other[term]) / 2 for term in one}
        return {**mean, TERM: disagreement(self.model, batch, *passes)}
