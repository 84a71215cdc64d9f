"""The pointer-generator (See et al. 2017, arXiv 1704.04368): write an id, or copy one.

p(y) = g · softmax(y) + (1 - g) · Σ attention over the source positions that hold y. The gate g is
a sigmoid of the decoder's output, which is made of all that the paper's gate sees. Example: with
g = 0.25 and half of the attention on the only 17 of the source, 17 is copied with 0.375. Source
and target share their pieces, so that there is no word that could not be written by its pieces.
"""

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.chunked import chunked
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.parts import Generator, GeneratorSettings
from pipeline.models.seam import Memory, Step
from pipeline.models.softmax import CHUNK, TERM
from pipeline.models.table import Table

COVERAGE = "coverage"


class Pointer(GeneratorSettings):
    """A mixture of a softmax and of copying by the decoder's attention."""

    needs_attention: ClassVar[bool] = True
    copies: ClassVar[bool] = True

    coverage: float = Field(0.0, ge=0)
    """Weight of a loss for attending again to what was attended to (the paper's 1); 0: none."""

    def build(self, width: int, vocabulary: int) -> Generator:
        """The generator; its matrix is the model's output table."""
        return PointerGenerator(self.coverage, width)


class PointerGenerator(Generator):
    """Softmax over outputs · table, mixed with the attention."""

    def __init__(self, coverage: float, width: int) -> None:
        super().__init__()
        self.coverage = coverage
        self.gate = Linear(width, 1)

    @property
    def weights(self) -> Mapping[str, float]:
        """The negative log-likelihood, and the coverage loss where it has a weight."""
        return {TERM: 1.0, COVERAGE: self.coverage} if self.coverage else {TERM: 1.0}

    def counts(self, batch: Batch) -> Mapping[str, int]:
        """Target positions, EOS included."""
        assert batch.target is not None
        return dict.fromkeys(self.weights, sum(batch.target.lengths))

    def score(
        self, step: Step, targets: Ragged, memory: Memory, table: Table
    ) -> Mapping[str, Float[Tensor, ""]]:
        """-log p of the targets, summed, and the coverage loss."""
        assert step.attention is not None and memory.ids is not None
        layout = Layout(targets.lengths, targets.values.device)
        ids, sequence = memory.layout.pad(memory.ids), layout.sequence
        gate = self.gate(step.output).to(table.weight.dtype)

        def loss(part: slice, *tensors: Tensor) -> Tensor:
            return _loss(ids[sequence[part]], targets.values[part], *tensors)

        rows = [step.output, step.attention, gate]
        terms = {TERM: chunked(loss, CHUNK, rows, [table.weight])}
        if self.coverage:
            terms[COVERAGE] = coverage_loss(step.attention.to(gate.dtype), layout)
        return terms

    def log_probs(
        self, step: Step, ids: Int[Tensor, "*places longest"] | None, table: Table
    ) -> Float[Tensor, "*places vocabulary"]:
        """Log-probabilities of the mixture."""
        assert step.attention is not None and ids is not None
        dtype = table.weight.dtype
        written = functional.log_softmax(table.logits(step.output), dim=-1)
        attention = step.attention.to(dtype)
        copied = torch.zeros_like(written).scatter_add(-1, ids.expand_as(attention), attention)
        return mixture(written, copied, self.gate(step.output).to(dtype))


def mixture(
    written: Float[Tensor, "*places"], copied: Float[Tensor, "*places"], gate: Float[Tensor, "..."]
) -> Float[Tensor, "*places"]:
    """log(g · exp(written) + (1 - g) · copied), g the sigmoid of `gate`.

    In logarithms, so that no probability is lost; what is not copied has no slope.
    """
    some = copied > torch.finfo(copied.dtype).tiny
    pointed = copied.where(some, 1.0).log() + functional.logsigmoid(-gate)
    pointed = pointed.where(some, float("-inf"))
    return torch.logaddexp(written + functional.logsigmoid(gate), pointed)


def coverage_loss(
    attention: Float[Tensor, "positions longest"], layout: Layout
) -> Float[Tensor, ""]:
    """Σ min(attention, its sum over the steps before) over source and target positions."""
    padded = layout.pad(attention)  # [N, T, S]
    before = padded.cumsum(1) - padded
    return torch.minimum(padded, before).sum()


def _logits(outputs: Tensor, weight: Tensor) -> Tensor:
    """In the type of the weights."""
    return (outputs @ weight.to(outputs.dtype).T).to(weight.dtype)


def _loss(
    ids: Int[Tensor, "chunk longest"],
    targets: Int[Tensor, " chunk"],
    outputs: Float[Tensor, "chunk width"],
    attention: Float[Tensor, "chunk longest"],
    gate: Float[Tensor, "chunk one"],
    weight: Float[Tensor, "vocabulary width"],
) -> Float[Tensor, ""]:
    """Of the targets alone: nothing is added up over the vocabulary but the softmax's sum."""
    logits = _logits(outputs, weight)
    written = logits.gather(1, targets[:, None]) - logits.logsumexp(1, keepdim=True)
    here = (ids == targets[:, None]).to(weight.dtype)
    copied = (attention.to(weight.dtype) * here).sum(1, keepdim=True)
    return -mixture(written, copied, gate).sum()
