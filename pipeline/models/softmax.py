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
from pipeline.models.compiled import compiled, compiles
from pipeline.models.parts import Generator, GeneratorSettings
from pipeline.models.seam import Memory, Step
from pipeline.models.table import Table
from pipeline.models.weights import asking

TERM = "cross_entropy"
CHUNK = 512  # positions whose logits exist at the same time in the type of the weights
HELD = 2048  # and in a narrower one, so that the weights' gradient is one sum of more products
GPU_LOGITS = 2**27  # on a GPU: its products want many rows, and it has the memory (half a GiB)


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
        chunk = chunk_of(len(weight), weight.device)
        wide, even = outputs.to(weight.dtype), smoothing / len(weight)
        total = -even * (wide.sum(0) * matrix.to(weight.dtype).sum(0)).sum()
        if not any(ctx.needs_input_grad[:2]):  # pyright: ignore[reportAttributeAccessIssue]
            for part in parts(len(targets), chunk):
                logits = outputs[part] @ matrix.T
                total += _chunk(logits.to(weight.dtype), targets[part], smoothing)[0]
            return total
        by_output, by_weight = torch.empty_like(outputs), torch.zeros_like(weight)
        held = HELD if outputs.dtype != weight.dtype else CHUNK
        for part in parts(len(targets), max(held, chunk)):
            logits = outputs[part] @ matrix.T
            loss, slopes = _slopes(logits, targets[part], smoothing, weight.dtype)
            total += loss
            torch.mm(slopes, matrix, out=by_output[part])
            _add_product(by_weight, slopes, outputs[part])
        by_output -= even * matrix.to(weight.dtype).sum(0).to(outputs.dtype)
        by_weight -= even * wide.sum(0)
        ctx.save_for_backward(by_output, by_weight)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """What was kept, scaled."""
        (scale,) = gradients
        by_output, by_weight = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        # Scaled in the type of the scale: rounded before, it would scale all that is below alike.
        below = (by_output.to(scale.dtype) * scale).to(by_output.dtype)
        return below, by_weight * scale, None, None


def chunk_of(vocabulary: int, device: torch.device) -> int:
    """Positions whose logits are made at the same time, in the type of the weights."""
    return CHUNK if device.type == "cpu" else max(CHUNK, GPU_LOGITS // vocabulary)


def parts(positions: int, chunk: int | None = None) -> Iterator[slice]:
    """Chunks of flat positions, each of CHUNK where nothing else is said."""
    chunk = chunk or CHUNK
    return (slice(start, start + chunk) for start in range(0, positions, chunk))


def _add_product(onto: Tensor, slopes: Tensor, outputs: Tensor) -> None:
    """Add slopes^T outputs to the gradient of the weights."""
    if slopes.dtype == onto.dtype:
        torch.addmm(onto, slopes.T, outputs, out=onto)  # in place, and counted as a product
    else:
        onto += slopes.T @ outputs


def _slopes(
    logits: Float[Tensor, "chunk vocabulary"],
    targets: Int[Tensor, " chunk"],
    smoothing: float,
    dtype: torch.dtype,
) -> tuple[Float[Tensor, ""], Float[Tensor, "chunk vocabulary"]]:
    """As `_chunk`, computed in `dtype`; slopes of another type come in the place of the logits."""
    if compiles():
        return compiled(_fused, logits, targets, smoothing, dtype)
    if logits.dtype == dtype:
        return _chunk(logits, targets, smoothing)
    total = logits.new_zeros((), dtype=dtype)
    for part in parts(len(logits), chunk_of(logits.shape[1], logits.device)):
        loss, logits[part] = _chunk(logits[part].to(dtype), targets[part], smoothing)
        total += loss
    return total, logits


def _chunk(
    logits: Float[Tensor, "chunk vocabulary"], targets: Int[Tensor, " chunk"], smoothing: float
) -> tuple[Float[Tensor, ""], Float[Tensor, "chunk vocabulary"]]:
    """The loss but for the even part of smoothing, and its slope in the logits."""
    slope = torch.softmax(logits, dim=-1)
    chosen = logits.gather(1, targets[:, None])[:, 0]
    loss = (_minus_log(logits, slope, targets, chosen) + smoothing * chosen).sum()
    stay = torch.full_like(chosen, smoothing - 1)[:, None]
    return loss, slope.scatter_add_(1, targets[:, None], stay)


def _fused(
    logits: Tensor, targets: Tensor, smoothing: float, dtype: torch.dtype
) -> tuple[Float[Tensor, ""], Float[Tensor, "chunk vocabulary"]]:
    """As `_slopes`, in as few passes as a compiler needs for it."""
    wide = logits.to(dtype)
    log_softmax = torch.log_softmax(wide, dim=-1)
    chosen, minus = (each.gather(1, targets[:, None]) for each in (wide, -log_softmax))
    ids = torch.arange(logits.shape[1], device=logits.device)
    slope = log_softmax.exp() - (1 - smoothing) * (ids == targets[:, None]).to(dtype)
    return (minus + smoothing * chosen).sum(), slope.to(logits.dtype)


def _minus_log(logits: Tensor, softmax: Tensor, targets: Tensor, chosen: Tensor) -> Tensor:
    """-log of the targets' probabilities: read off the softmax where it can be.

    One that is too small to be read follows from log-sum-exp: the largest logit minus the log of
    its probability. That takes two passes over all ids; a GPU, which need not be asked what its
    numbers are, always takes them.
    """
    read = softmax.gather(1, targets[:, None])[:, 0]
    if logits.device.type == "cpu" and bool((read >= torch.finfo(read.dtype).tiny).all()):
        return -read.log()
    return logits.amax(-1) - softmax.amax(-1).log() - chosen
