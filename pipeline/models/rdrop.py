"""R-Drop: two passes over a batch with different dropout are taught to agree.

Liang et al. 2021 (arXiv 2106.14448). The loss is the mean of both passes' own losses, and a term
of its own: at every target position ½ KL(p‖q) + ½ KL(q‖p) of their distributions p and q. So the
cross-entropy counts once, as without it; the weight is the α of the authors' code. Example: p = (½,
½) and q = (¼, ¾) differ by ½ · ¼ · ln 2 + ½ · ¼ · ln 3⁄2 = 0.137 nats.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from pipeline.batches.batch import Batch
from pipeline.models.seam import Memory, Step
from pipeline.models.seq2seq import Model
from pipeline.models.softmax import parts
from pipeline.problems import Problem
from pipeline.settings import Settings

TERM = "r_drop"


class RDrop(Settings):
    """A second loss: that a model says the same whatever is dropped."""

    weight: float = Field(1.0, gt=0)
    """The weight of the disagreement, in nats a target position (the authors' α, 1 to 5)."""

    @property
    def weights(self) -> Mapping[str, float]:
        """One term."""
        return {TERM: self.weight}

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """Target positions, EOS included."""
        assert batch.target is not None
        return {TERM: sum(batch.target.lengths)}

    def check(self, model: Model) -> None:
        """A Problem where nothing is dropped: both passes would be the same."""
        if not model.drops:
            raise Problem(
                "R-Drop compares two passes with different dropout, and this model has none",
                where="params.yaml, training.r_drop",
                value=self.model_dump(),
                remedy="set model.encoder.dropout and model.decoder.dropout, or training.r_drop: "
                "null",
            )


def disagreement(
    model: Model, batch: Batch, one: tuple[Memory, Step], other: tuple[Memory, Step]
) -> Float[Tensor, ""]:
    """Σ ½ KL(p‖q) + ½ KL(q‖p) over the batch's target positions, in nats."""

    def divergence(part: slice) -> Tensor:
        p, q = (model.log_probs(batch, *each, part) for each in (one, other))
        return _divergence(p, q)

    chunks = parts(len(one[1].output))
    return torch.stack([_forgetting(divergence, part) for part in chunks]).sum()


def _forgetting(divergence: Callable[[slice], Tensor], part: slice) -> Tensor:
    """What a chunk needs is made again on the way back: no more than a chunk exists at a time."""
    made: Tensor = checkpoint(divergence, part, use_reentrant=False, preserve_rng_state=False)  # pyright: ignore[reportAssignmentType]
    return made


def _divergence(
    p: Float[Tensor, "chunk vocabulary"], q: Float[Tensor, "chunk vocabulary"]
) -> Float[Tensor, ""]:
    """Of log-probabilities: both Kullback-Leibler divergences at once."""
    return ((p.exp() - q.exp()) * (p - q)).sum() / 2
