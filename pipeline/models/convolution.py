"""Convolutions that halve a sequence: kernel 3, stride 2, one zero on each side.

Example: sequences of 5 and 2 positions become 3 and 1. What lies beyond a sequence's end is zero
before each convolution, so that neither padding nor neighbours enter a vector.
"""

from collections.abc import Callable
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from pipeline.models.layout import Layout
from pipeline.models.weights import Weighted

KERNEL = 3


def halved(length: int) -> int:
    """How many positions are left of so many: every second one, from the first on."""
    return -(-length // 2)


class Convolution(Weighted):
    """Over positions, or over positions and rows of an image, in the type of what it is given."""

    def __init__(self, channels_in: int, channels_out: int, *, directions: Literal[1, 2]) -> None:
        super().__init__()
        kernel = (KERNEL,) * directions
        self.weight = nn.Parameter(torch.empty(channels_out, channels_in, *kernel))
        self.bias = nn.Parameter(torch.empty(channels_out))

    def fill(self, draw: Callable[[str], torch.Generator]) -> None:
        """Uniform, variance 2 / in (He et al. 2015), which a rectifier halves; biases 0."""
        bound = (6 / self.weight[0].numel()) ** 0.5
        self.weight.uniform_(-bound, bound, generator=draw("weight"))
        self.bias.zero_()

    def forward(
        self, values: Float[Tensor, "positions *rows in"], layout: Layout
    ) -> tuple[Float[Tensor, "halves *half_rows out"], Layout]:
        """Half as many positions (and rows), and where they lie."""
        convolve = functional.conv1d if self.weight.ndim == 3 else functional.conv2d
        weight, bias = self.weight.to(values.dtype), self.bias.to(values.dtype)
        padded = layout.pad(values).movedim(-1, 1)  # [N, in, T] or [N, in, T, rows]
        halves = convolve(padded, weight, bias, stride=2, padding=1).movedim(1, -1)
        after = Layout(tuple(map(halved, layout.lengths)), layout.device)
        return after.unpad(halves), after
