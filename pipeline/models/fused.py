"""Attention of flat positions by a GPU's fused kernel: nothing is padded, no probability is kept.

FlashAttention-2 (Dao 2023, arXiv 2307.08691) for sequences that lie end to end, in bf16. It knows
no dropout that belongs to examples and gives no probabilities: who needs these, computes in float32
or on a processor attends to padded views (`scaled_dot.py`).
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.models.layout import Layout

WIDEST = 256  # channels of a head


def fits(vectors: Float[Tensor, "positions width"], heads: int) -> bool:
    """Whether the kernel takes the heads of such vectors, where they lie."""
    width = vectors.shape[-1] // heads
    taken = vectors.dtype == torch.bfloat16 and width % 8 == 0 and width <= WIDEST
    return taken and vectors.device.type != "cpu" and not _left.get()


_left: ContextVar[bool] = ContextVar("left", default=False)


@contextmanager
def unfused() -> Generator[None]:
    """Meanwhile nothing is fused: for who counts what padded views would cost."""
    token = _left.set(True)
    try:
        yield
    finally:
        _left.reset(token)


def attended(
    queries: Float[Tensor, "positions heads width"],
    keys: Float[Tensor, "memory groups width"],
    values: Float[Tensor, "memory groups width"],
    layout: Layout,
    memory: Layout,
    *,
    causal: bool,
) -> Float[Tensor, "positions heads_width"]:
    """softmax(q k^T / sqrt(d)) v of each sequence of `layout` and its own of `memory`.

    `causal`: a position sees those of its sequence up to itself.
    """
    from torch.nn.attention.varlen import varlen_attn  # which loads torch's compiler

    contexts = varlen_attn(
        queries,
        keys,
        values,
        layout.edges,
        memory.edges,
        max(layout.lengths),
        max(memory.lengths),
        window_size=(-1, 0) if causal else (-1, -1),
        enable_gqa=queries.shape[1] != keys.shape[1],
    )
    assert isinstance(contexts, Tensor)
    return contexts.flatten(1)
