"""Products with a matrix of weights, in the type of the vectors: weights are cast at use.

A search uses the same weights hundreds of times. Once they are settled they are cast once, and on a
CPU laid out once as oneDNN wants them (what torch.compile makes of frozen weights): for the rows of
a search step that takes a tenth less time in layers, up to half of it for a whole vocabulary, and a
third less in bf16. A CPU without instructions for bf16 multiplies the same rounded numbers in
float32, which is seven times as fast as what it does without.
"""

from functools import partial
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

PACKED = (torch.float32, torch.bfloat16)  # what oneDNN has a layout for
ROWS = 64  # of vectors: a hint for the layout


class Matrix:
    """A weight and a bias of one type that will not change any more."""

    def __init__(self, weight: Tensor, bias: Tensor | None, like: Tensor) -> None:
        self.dtype, self.device = like.dtype, like.device
        self.inner = inner = _inner(like)
        self.weight = weight.detach().to(like.dtype).to(inner)
        self.bias = None if bias is None else bias.detach().to(like.dtype).to(inner)
        self.packed: Tensor | None = None
        if like.device.type == "cpu" and inner in PACKED and torch.backends.mkldnn.is_available():
            self.packed = torch.ops.mkldnn._reorder_linear_weight(self.weight.contiguous(), ROWS)

    def fits(self, vectors: Tensor) -> bool:
        """Whether these vectors are of its type and on its device."""
        return vectors.dtype == self.dtype and vectors.device == self.device

    def product(self, vectors: Float[Tensor, "*places in"]) -> Float[Tensor, "*places out"]:
        """x W^T + b."""
        vectors = vectors.to(self.inner)
        if self.packed is None:
            return functional.linear(vectors, self.weight, self.bias).to(self.dtype)
        product = torch.ops.mkldnn._linear_pointwise.default
        return product(vectors, self.packed, self.bias, "none", [], "").to(self.dtype)


def _inner(like: Tensor) -> torch.dtype:
    """The type in which products of vectors like these are made."""
    if like.device.type == "cpu" and like.dtype == torch.bfloat16 and not has_bf16():
        return torch.float32
    return like.dtype


def has_bf16() -> bool:
    """Whether this machine's processor multiplies in bf16."""
    return torch.backends.mkldnn.is_available() and torch.ops.mkldnn._is_mkldnn_bf16_supported()


class Products:
    """The products of one matrix, before and after it is settled."""

    def __init__(self, *, settled: bool = False) -> None:
        self.settled = settled
        self._matrix: Matrix | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy lays its own weights out."""
        return partial(Products, settled=self.settled), ()

    def of(
        self,
        vectors: Float[Tensor, "*places in"],
        weight: Float[Tensor, "out in"],
        bias: Float[Tensor, " out"] | None = None,
    ) -> Float[Tensor, "*places out"]:
        """x W^T + b in the type of the vectors; settled, always with the first weight and bias,
        unless gradients are asked for."""
        dtype = vectors.dtype
        if not self.settled or torch.is_grad_enabled():
            bias = None if bias is None else bias.to(dtype)
            return functional.linear(vectors, weight.to(dtype), bias)
        ready = self.ready(vectors)
        if ready is None:
            ready = self._matrix = Matrix(weight, bias, vectors)
        return ready.product(vectors)

    def ready(self, vectors: Tensor) -> Matrix | None:
        """The settled matrix for these vectors, once it was used; None where gradients are on."""
        matrix = None if torch.is_grad_enabled() else self._matrix
        return matrix if matrix is not None and matrix.fits(vectors) else None
