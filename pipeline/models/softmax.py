"""The softmax generator: cross-entropy with label smoothing over flat positions, in chunks.

The loss of a position with probabilities p, target y and smoothing e over V ids is
(1 - e) · -log p[y] + e · mean over v of -log p[v] (Szegedy et al. 2016; as torch's cross_entropy).
The gradient is computed on the way forward, chunk by chunk, so that no more than a chunk of
positions × vocabulary ever exists.
"""

from collections.abc import Iterator, Mapping
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.parts import Generator, GeneratorSettings
from pipeline.models.seam import Memory, Step
from pipeline.models.table import Table
from pipeline.models.weights import asking

TERM = "cross_entropy"
CHUNK = 512  # positions whose logits exist at the same time


class Softmax(GeneratorSettings):
    """A linear map (the output table) and a softmax."""

    needs_attention: ClassVar[bool] = False
    copies: ClassVar[bool] = False

    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """The share of a target's probability that is spread evenly over all ids."""

    def build(self, width: int, vocabulary: int) -> Generator:
        """The generator; its matrix is the model's output table."""
        return SoftmaxGenerator(self.label_smoothing)


class SoftmaxGenerator(Generator):
    """Softmax over outputs · table."""

    def __init__(self, label_smoothing: float) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    @property
    def weights(self) -> Mapping[str, float]:
        """One term."""
        return {TERM: 1.0}

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """Target positions, EOS included."""
        assert batch.target is not None
        return {TERM: sum(batch.target.lengths)}

    def score(
        self, step: Step, targets: Ragged, memory: Memory, table: Table
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The smoothed cross-entropy, summed."""
        loss: Tensor = CrossEntropy.apply(  # pyright: ignore[reportAssignmentType]
            step.output, asking(table.weight), targets.values, self.label_smoothing
        )
        return {TERM: loss}

    def log_probs(
        self, step: Step, ids: Int[Tensor, "*places longest"] | None, table: Table
    ) -> Float[Tensor, "*places vocabulary"]:
        """Log-softmax of the logits; in their place, where no gradient needs them."""
        logits = table.logits(step.output)
        if logits.requires_grad:
            return functional.log_softmax(logits, dim=-1)
        return torch.log_softmax(logits, dim=-1, out=logits)


class CrossEntropy(torch.autograd.Function):
    """Sum of smoothed cross-entropies; softmax and sums in the type of the weights.

    Smoothing adds the same slope to all ids, which is put in once at the end: -e/V in every logit.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        outputs: Float[Tensor, "positions width"],
        weight: Float[Tensor, "vocabulary width"],
        targets: Int[Tensor, " positions"],
        smoothing: float,
    ) -> Float[Tensor, ""]:
        """The loss; its gradient is kept for the way back."""
        matrix = weight.to(outputs.dtype)
        wide, even = outputs.to(weight.dtype), smoothing / len(weight)
        total = -even * (wide.sum(0) * matrix.to(weight.dtype).sum(0)).sum()
        if not any(ctx.needs_input_grad[:2]):  # pyright: ignore[reportAttributeAccessIssue]
            for part in parts(len(targets)):
                total += _chunk(outputs[part], matrix, targets[part], smoothing, weight.dtype)[0]
            return total
        by_output, by_weight = torch.empty_like(outputs), torch.zeros_like(weight)
        for part in parts(len(targets)):
            loss, slope = _chunk(outputs[part], matrix, targets[part], smoothing, weight.dtype)
            total += loss
            slope = slope.to(outputs.dtype)
            torch.mm(slope, matrix, out=by_output[part])
            by_weight += slope.T @ outputs[part]
        by_output -= even * matrix.to(weight.dtype).sum(0).to(outputs.dtype)
        by_weight -= even * wide.sum(0)
        ctx.save_for_backward(by_output, by_weight)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """What was kept, scaled."""
        (scale,) = gradients
        by_output, by_weight = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return by_output * scale.to(by_output.dtype), by_weight * scale, None, None


def parts(positions: int) -> Iterator[slice]:
    """Chunks of flat positions."""
    return (slice(start, start + CHUNK) for start in range(0, positions, CHUNK))


def _chunk(
    outputs: Tensor, matrix: Tensor, targets: Tensor, smoothing: float, dtype: torch.dtype
) -> tuple[Float[Tensor, ""], Float[Tensor, "chunk vocabulary"]]:
    """The loss but for the even part of smoothing, and its slope in the logits.

    log-sum-exp is read off the softmax: the largest logit minus the log of its probability.
    """
    logits = (outputs @ matrix.T).to(dtype)
    slope = torch.softmax(logits, dim=-1)
    normaliser = logits.amax(-1) - slope.amax(-1).log()
    chosen = logits.gather(1, targets[:, None])[:, 0]
    stay = torch.full_like(chosen, smoothing - 1)[:, None]
    slope.scatter_add_(1, targets[:, None], stay)
    return (normaliser - (1 - smoothing) * chosen).sum(), slope
