"""A second loss, on the encoder: connectionist temporal classification (Graves et al. 2006).

Every state says a label or nothing (the blank, for which PAD stands); the loss is minus the log of
the probability of all ways to say the target, EOS left out. Beside attention it teaches an encoder
to go through its source from left to right (Kim et al. 2017, arXiv 1609.06773). Example: the labels
[7, 7, 5] need four states, one of them a blank between the sevens; an example with fewer states is
out of the loss, and of its count.
"""

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from pipeline.batches.batch import PAD, Batch, Ragged, on_device
from pipeline.models.chunked import chunked
from pipeline.models.layout import Layout
from pipeline.models.linear import Linear
from pipeline.models.seam import Memory
from pipeline.settings import Settings

TERM = "ctc"
CHUNK = 2**24  # logits that exist at the same time, unless one source alone has more


class CTC(Settings):
    """Connectionist temporal classification over the encoder's states."""

    weight: float = Field(0.3, gt=0)
    """The weight of its mean over examples, beside the generator's terms."""


class CTCLoss(nn.Module):
    """A linear map of the states to labels, and the loss."""

    def __init__(self, settings: CTC, width: int, vocabulary: int) -> None:
        super().__init__()
        self.weight = settings.weight
        self.labels = Linear(width, vocabulary)

    @property
    def weights(self) -> Mapping[str, float]:
        """One term."""
        return {TERM: self.weight}

    def counts(self, batch: Batch, states: tuple[int, ...]) -> Mapping[str, int]:
        """Examples with states enough; asks the device once, where the batch lies on one."""
        assert batch.target is not None
        needed = states_needed(batch.target)
        return {TERM: int((needed <= on_device(states, needed.device)).sum())}

    def score(self, memory: Memory, targets: Ragged) -> Mapping[str, Float[Tensor, ""]]:
        """The sum over the examples that have states enough, in nats."""
        labels = Layout(targets.lengths, targets.values.device).pad(targets.values)
        state_lengths = torch.tensor(memory.layout.lengths)  # on the host, where they are needed
        label_lengths = torch.tensor(targets.lengths) - 1  # without EOS
        bias, weight = self.labels.bias, self.labels.weight
        assert bias is not None

        def loss(part: slice, states: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
            logits = functional.linear(states, weight.to(states.dtype), bias.to(states.dtype))
            return functional.ctc_loss(
                logits.to(weight.dtype).log_softmax(-1).transpose(0, 1),
                labels[part],
                state_lengths[part],
                label_lengths[part],
                blank=PAD,
                reduction="sum",
                zero_infinity=True,  # infinite is the loss of an example without states enough
            )

        sources = max(1, CHUNK // max(1, memory.layout.longest * len(weight)))
        return {TERM: chunked(loss, sources, [memory.layout.pad(memory.states)], [weight, bias])}


def states_needed(targets: Ragged) -> Int[Tensor, " sequences"]:
    """One for each label, and a blank between two equal ones."""
    layout, values = Layout(targets.lengths, targets.values.device), targets.values
    sequence = layout.sequence
    again = (values[1:] == values[:-1]) & (sequence[1:] == sequence[:-1])
    labels = layout.device_lengths - 1  # without EOS
    return labels.index_add(0, sequence[1:], again.to(labels.dtype))
