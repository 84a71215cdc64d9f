"""A sum over many rows, made chunk by chunk together with its gradient.

So what a row needs (its logits over a vocabulary, for example) exists for no more than a chunk of
rows at a time, and is made once. Example: `chunked(loss, 512, [outputs], [matrix])` is the sum of
`loss(slice(0, 512), outputs[:512], matrix)`, `loss(slice(512, 1024), …)` and so on.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.autograd.function import FunctionCtx

from pipeline.models.weights import asking

Loss = Callable[..., Float[Tensor, ""]]  # of a slice of rows, their tensors, and the weights


def chunked(
    loss: Loss,
    chunk: int,
    rows: Sequence[Shaped[Tensor, "rows ..."]],
    weights: Sequence[Tensor],
) -> Float[Tensor, ""]:
    """The sum of `loss` over chunks of rows, in the type of the first weight."""
    tensors = [asking(tensor) for tensor in (*rows, *weights)]
    result: Tensor = Chunked.apply(loss, chunk, len(rows), *tensors)  # pyright: ignore[reportAssignmentType]
    return result


class Chunked(torch.autograd.Function):
    """The gradient is computed on the way forward and scaled on the way back."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, loss: Loss, chunk: int, sliced: int, *tensors: Tensor
    ) -> Float[Tensor, ""]:
        """`sliced` tensors lie row by row, the others belong to all rows."""
        asked: tuple[bool, ...] = ctx.needs_input_grad[3:]  # pyright: ignore[reportAttributeAccessIssue]
        total = tensors[sliced].new_zeros(())
        slopes = [torch.zeros_like(tensor) for tensor in tensors] if any(asked) else []
        for start in range(0, len(tensors[0]), chunk):
            part = slice(start, start + chunk)
            leaves = [t[part] for t in tensors[:sliced]] + list(tensors[sliced:])
            total += _add(loss, part, leaves, slopes, sliced)
        ctx.save_for_backward(*slopes)
        return total

    @staticmethod
    def backward(ctx: FunctionCtx, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        """What was kept, scaled."""
        (scale,) = gradients
        slopes = ctx.saved_tensors  # pyright: ignore[reportAttributeAccessIssue]
        # In the type of the scale: rounded before, it would scale all that is below alike.
        wide = [(slope.to(scale.dtype) * scale).to(slope.dtype) for slope in slopes]
        return None, None, None, *wide


def _add(
    loss: Loss, part: slice, leaves: Sequence[Tensor], slopes: Sequence[Tensor], sliced: int
) -> Float[Tensor, ""]:
    """One chunk's loss; its gradient goes to the slopes, where there are any."""
    with torch.set_grad_enabled(bool(slopes)):
        own = [leaf.detach().requires_grad_(bool(slopes)) for leaf in leaves]
        value = loss(part, *own)
    if slopes:
        for number, slope in enumerate(torch.autograd.grad(value, own)):
            place = slopes[number][part] if number < sliced else slopes[number]
            place += slope
    return value.detach()
