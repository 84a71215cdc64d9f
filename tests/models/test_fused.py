"""Attention by a GPU's kernel, which is none of ours: what goes into it, and what comes out.

The kernel itself runs on a GPU alone. Here it is played by a few lines that follow its
documentation, on ordinary numbers; and torch's own description of it, which knows shapes and types,
takes the same step on the device `meta`.
"""

from itertools import pairwise

import pytest
import torch

from pipeline.models import transformer
from pipeline.models.fused import fits, unfused

PLAIN = {"attention_dropout": 0.0}


def kernel(query, key, value, edges, memory, most, longest, *, window_size, enable_gqa):
    """What torch says of `varlen_attn`: sequence by sequence, head by head."""
    assert edges.dtype == memory.dtype == torch.int32
    heads, groups = query.shape[1], key.shape[1]
    assert enable_gqa == (heads != groups)
    ends, sources = edges.tolist(), memory.tolist()
    assert most == max(b - a for a, b in pairwise(ends))
    assert longest == max(b - a for a, b in pairwise(sources))
    made = []
    for row in range(len(ends) - 1):
        own, other = slice(*ends[row : row + 2]), slice(*sources[row : row + 2])
        q, k, v = query[own], key[other], value[other]
        k, v = (each.repeat_interleave(heads // groups, dim=1) for each in (k, v))
        scores = torch.einsum("ihd,jhd->hij", q, k) / q.shape[2] ** 0.5
        if window_size == (-1, 0):
            future = torch.ones(scores.shape[1:]).triu(1).bool()
            scores = scores.masked_fill(future, float("-inf"))
        made.append(torch.einsum("hij,jhd->ihd", scores.softmax(-1), v))
    return torch.cat(made)


def model_of(tiny, name, precision="fp64"):
    parts = {part: {**tiny.MODELS[name][part], **PLAIN} for part in ("encoder", "decoder")}
    return tiny.model_of(name, precision=precision, width=16, **parts)


def losses(tiny, model):
    """The loss of a batch, dropout on, and its gradients."""
    model.zero_grad()
    loss = model.losses(tiny.batch(tiny.examples(6)), tiny.CHANCE)["cross_entropy"]
    loss.backward()
    return loss.detach(), {name: p.grad.clone() for name, p in model.named_parameters()}


@pytest.mark.parametrize("name", ["transformer", "transformer, norms last", "transformer, modern"])
def test_fused_attention_is_attention_to_padded_views(tiny, monkeypatch, name):
    model = model_of(tiny, name)
    loss, gradients = losses(tiny, model)
    calls = []
    monkeypatch.setattr(transformer, "fits", lambda vectors, heads: True)
    monkeypatch.setattr(
        "torch.nn.attention.varlen.varlen_attn",
        lambda *args, **options: calls.append(options["window_size"]) or kernel(*args, **options),
    )
    fused, fused_gradients = losses(tiny, model)
    assert {(-1, -1), (-1, 0)} == set(calls)
    assert float((fused - loss).abs()) < 1e-10
    for name, gradient in gradients.items():
        assert float((fused_gradients[name] - gradient).abs().max()) < 1e-10, name


def test_probabilities_that_are_asked_for_or_dropped_come_from_padded_views(tiny, monkeypatch):
    monkeypatch.setattr(transformer, "fits", lambda vectors, heads: True)
    monkeypatch.delattr("torch.nn.attention.varlen.varlen_attn")
    batch, dropping = tiny.batch(tiny.examples(3)), tiny.model_of("transformer")
    dropping.losses(batch, tiny.CHANCE)
    plain = model_of(tiny, "transformer")
    monkeypatch.undo()
    memory = plain.read(batch, None)
    monkeypatch.setattr(transformer, "fits", lambda vectors, heads: True)
    monkeypatch.delattr("torch.nn.attention.varlen.varlen_attn")
    assert plain.teach(batch, memory, None, attention=True).attention is not None


def test_the_kernel_takes_bf16_on_a_gpu_alone():
    vectors = torch.zeros(3, 64, dtype=torch.bfloat16)
    assert not fits(vectors, 4)
    assert fits(vectors.to("meta"), 4)
    with unfused():
        assert not fits(vectors.to("meta"), 4)
    assert not fits(vectors.float().to("meta"), 4)
    assert not fits(vectors.to("meta"), 16), "heads of 4 channels"
    assert not fits(torch.zeros(3, 512, dtype=torch.bfloat16, device="meta"), 1)
