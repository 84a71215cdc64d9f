"""The softmax generator: cross-entropy with label smoothing over flat positions, in chunks.

The loss of a position with probabilities p, target y and smoothing e over V ids is
(1 - e) · -log p[y] + e · mean over v of -log p[v] (Szegedy et al. 2016; as torch's cross_entropy).
The gradient is computed on the way forward, chunk by chunk, so that no more than a chunk of
positions × vocabulary ever exists.
"""

from collections.abc import Callable, Mapping

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.parts import Generator, GeneratorSettings
from pipeline.models.seam import Memory, Step
from pipeline.models.state import DecoderState
from pipeline.models.table import Table
from pipeline.models.weights import Weighted

TERM = "cross_entropy"
CHUNK = 256  # positions whose logits exist at the same time


class Softmax(GeneratorSettings):
    """A linear map (the output table) and a softmax."""

    label_smoothing: float = Field(0.1, ge=0, lt=1)
    """The share of a target's probability that is spread evenly over all ids."""

    def build(self, width: int, vocabulary: int) -> Generator:
        """The generator; its matrix is the model's output table."""
        return SoftmaxGenerator(vocabulary, self.label_smoothing)


class Bias(Weighted):
    """One number for each id, added to the logits."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.values = nn.Parameter(torch.empty(vocabulary))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """No preference."""
        self.values.zero_()


class SoftmaxGenerator(Generator):
    """Softmax over outputs · table + bias."""

    def __init__(self, vocabulary: int, label_smoothing: float) -> None:
        super().__init__()
        self.bias = Bias(vocabulary)
        self.label_smoothing = label_smoothing

    @property
    def weights(self) -> Mapping[str, float]:
        """One term."""
        return {TERM: 1.0}

    @property
    def needs_attention(self) -> bool:
        """The outputs are enough."""
        return False

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """Target positions, EOS included."""
        assert batch.target is not None
        return {TERM: sum(batch.target.lengths)}

    def score(
        self, step: Step, targets: Ragged, memory: Memory, table: Table
    ) -> Mapping[str, Float[Tensor, ""]]:
        """The smoothed cross-entropy, summed."""
        loss: Tensor = CrossEntropy.apply(  # pyright: ignore[reportAssignmentType]
            step.output, table.weight, self.bias.values, targets.values, self.label_smoothing
        )
        return {TERM: loss}

    def log_probs(
        self, step: Step, state: DecoderState, table: Table
    ) -> Float[Tensor, "sources beams vocabulary"]:
        """Log-softmax of the logits."""
        dtype = step.output.dtype
        logits = step.output @ table.weight.to(dtype).T
        return functional.log_softmax(logits.to(table.weight.dtype) + self.bias.values, dim=-1)


class CrossEntropy(torch.autograd.Function):
    """Sum of smoothed cross-entropies; softmax and sums in the type of the weights."""

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        outputs: Float[Tensor, "positions width"],
        weight: Float[Tensor, "vocabulary width"],
        bias: Float[Tensor, " vocabulary"],
        targets: Int[Tensor, " positions"],
        smoothing: float,
    ) -> Float[Tensor, ""]:
        """The loss; its gradient is kept for the way back."""
        matrix = weight.to(outputs.dtype)
        needed = any(ctx.needs_input_grad[:3])  # pyright: ignore[reportAttributeAccessIssue]
        gradients = Gradients(outputs, weight, bias) if needed else None
        total = weight.new_zeros(())
        for start in range(0, len(targets), CHUNK):
            part = slice(start, start + CHUNK)
            logits = (outputs[part] @ matrix.T).to(weight.dtype).add_(bias)
            total += _smoothed(logits, targets[part], smoothing)
            if gradients is not None:
                gradients.add(part, _slope(logits, targets[part], smoothing), outputs, matrix)
        if gradients is not None:
            ctx.save_for_backward(gradients.outputs, gradients.weight, gradients.bias)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """What was kept, scaled."""
        (scale,) = gradients
        outputs, weight, bias = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        return outputs * scale.to(outputs.dtype), weight * scale, bias * scale, None, None


class Gradients:
    """What the loss's gradient adds up to, chunk by chunk."""

    def __init__(self, outputs: Tensor, weight: Tensor, bias: Tensor) -> None:
        self.outputs = torch.empty_like(outputs)
        self.weight = torch.zeros_like(weight)
        self.bias = torch.zeros_like(bias)

    def add(self, part: slice, slope: Tensor, outputs: Tensor, matrix: Tensor) -> None:
        """Of one chunk, from the loss's slope in the logits."""
        self.bias += slope.sum(0)
        slope = slope.to(outputs.dtype)
        torch.mm(slope, matrix, out=self.outputs[part])
        self.weight += slope.T @ outputs[part]


def _smoothed(
    logits: Float[Tensor, "chunk vocabulary"], targets: Int[Tensor, " chunk"], smoothing: float
) -> Float[Tensor, ""]:
    """The loss; `logits` become log-probabilities in place."""
    logits -= logits.logsumexp(dim=-1, keepdim=True)
    chosen = logits.gather(1, targets[:, None]).sum()
    if smoothing == 0:
        return -chosen
    return -(1 - smoothing) * chosen - smoothing / logits.shape[1] * logits.sum()


def _slope(
    log_probs: Float[Tensor, "chunk vocabulary"], targets: Int[Tensor, " chunk"], smoothing: float
) -> Float[Tensor, "chunk vocabulary"]:
    """Probabilities minus the smoothed target; written over `log_probs`."""
    slope = log_probs.exp_().sub_(smoothing / log_probs.shape[1])
    rows = torch.arange(len(targets), device=targets.device)
    slope[rows, targets] -= 1 - smoothing
    return slope
