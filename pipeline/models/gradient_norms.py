"""How large gradients are by layer and by distance in time: vanishing and exploding, to be seen.

Example, a GRU after a thousand steps: `gradient_of_encoder.layers.0` 0.8, `gradient_source_back_0`
0.02, `gradient_source_back_16` 0.0003: the last id of a source teaches 70 times as much as the one
16 before it (Bengio et al. 1994; Pascanu et al. 2013, arXiv 1211.5063).
"""

from collections import defaultdict
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.batches.batch import Batch, Ragged
from pipeline.models.layout import Layout
from pipeline.models.seam import Memory, Step
from pipeline.models.seq2seq import Model

DISTANCES = (0, 1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(slots=True)
class _Read:
    """What the encoder and the decoder read in a pass, at flat positions."""

    source: Tensor
    prefix: Tensor


def gradient_norms(model: Model, batch: Batch) -> dict[str, float]:
    """Norms of gradients over a batch, nothing dropped.

    `gradient_of_LAYER`: of the loss that steps are taken on, in the layer's weights.
    `gradient_source_back_D`: of the same in the vector that the encoder reads D positions before
    a source's end; `gradient_prefix_back_D`: of the loss of a target's last id alone, in the vector
    that the decoder reads D positions before it; both means over the examples that are so long.
    """
    assert batch.prefix is not None
    parameters = dict(model.named_parameters())
    with torch.enable_grad(), _reading(model) as read:
        memory, step = model.passed(batch, None)
        loss, last = _loss(model, batch, memory, step), _last_loss(model, batch, memory, step)
        asked = [read.source, *parameters.values()]
        source, *slopes = torch.autograd.grad(loss, asked, retain_graph=True, allow_unused=True)
        prefix, *_ = torch.autograd.grad(last, [read.prefix])
    layout = Layout(batch.prefix.lengths, batch.prefix.values.device)
    return {
        **_by_layer(dict(zip(parameters, slopes, strict=True))),
        **_by_distance("gradient_source_back", source, memory.layout),
        **_by_distance("gradient_prefix_back", prefix, layout),
    }


@contextmanager
def _reading(model: Model) -> Generator[_Read]:
    """Remember what the encoder and the decoder are given meanwhile."""
    read = _Read(torch.empty(0), torch.empty(0))

    def source(_: Any, given: tuple[Any, ...]) -> None:
        read.source = given[0].values

    def prefix(_: Any, given: tuple[Any, ...]) -> None:
        read.prefix = given[0]

    hooks = [
        model.encoder.register_forward_pre_hook(source),
        model.decoder.register_forward_pre_hook(prefix),
    ]
    try:
        yield read
    finally:
        for hook in hooks:
            hook.remove()


def _loss(model: Model, batch: Batch, memory: Memory, step: Step) -> Float[Tensor, ""]:
    """Each term's sum over its count, weighted."""
    counts, losses = model.counts(batch), model.score(batch, memory, step)
    used = [term for term in losses if counts[term]]
    return torch.stack([model.weights[t] * losses[t] / counts[t] for t in used]).sum()


def _last_loss(model: Model, batch: Batch, memory: Memory, step: Step) -> Float[Tensor, ""]:
    """The generator's loss of each target's last id, which is EOS; the mean."""
    assert batch.target is not None
    layout = Layout(batch.target.lengths, batch.target.values.device)
    last = layout.starts + layout.device_lengths - 1
    attention = None if step.attention is None else step.attention[last]
    target = Ragged(batch.target.values[last], (1,) * batch.count)
    outputs = Step(step.output[last], attention)
    losses = model.generator.score(outputs, target, memory, model.table("output"))
    return torch.stack([model.weights[t] * loss for t, loss in losses.items()]).sum() / batch.count


def _by_layer(slopes: Mapping[str, Tensor | None]) -> dict[str, float]:
    """Over all parameters of a layer."""
    norms: defaultdict[str, list[Tensor]] = defaultdict(list)
    for name, slope in slopes.items():
        if slope is not None:
            norms[f"gradient_of_{layer_of(name)}"].append(torch.linalg.vector_norm(slope))
    whole = torch.stack([torch.linalg.vector_norm(torch.stack(each)) for each in norms.values()])
    return dict(zip(norms, whole.tolist(), strict=True))


def layer_of(name: str) -> str:
    """`encoder.layers.0` of `encoder.layers.0.attention.weight`, `tables.shared` of its weight."""
    parts = name.split(".")
    number = next((place for place, part in enumerate(parts) if part.isdigit()), None)
    return ".".join(parts[:-1] if number is None else parts[: number + 1])


def _by_distance(
    name: str, slope: Float[Tensor, "positions width"], layout: Layout
) -> dict[str, float]:
    """Means at some distances from the sequences' ends, as far as there are any."""
    norms = torch.linalg.vector_norm(slope.double(), dim=-1)
    back = layout.device_lengths[layout.sequence] - 1 - layout.position
    near = [distance for distance in DISTANCES if distance < layout.longest]
    means = [norms[back == distance].mean() for distance in near]
    return {f"{name}_{d}": float(mean) for d, mean in zip(near, means, strict=True)}
