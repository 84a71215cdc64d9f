"""Every combination of parts that the laws hold for, a few channels wide, and batches for them.

A new encoder, decoder or generator joins the laws, those of training and search too, by a line in
MODELS.
"""

import numpy as np
import torch

from pipeline.batches.collate import batch_of
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import ModelSettings, build
from pipeline.settings import parse

VOCABULARY = 11
CHANCE = Chance(seed=5, step=7)

TRANSFORMER = {"kind": "transformer", "layers": 2, "heads": 2, "feedforward": 16,
               "dropout": 0.3, "attention_dropout": 0.2, "feedforward_dropout": 0.1}  # fmt: skip
GRU = {"kind": "gru", "layers": 2, "units": 6, "dropout": 0.3}
GRU_DECODER = {**GRU, "attention_units": 5}
SOFTMAX = {"kind": "softmax", "label_smoothing": 0.1}

MODELS = {
    "transformer": {"encoder": TRANSFORMER, "decoder": TRANSFORMER, "generator": SOFTMAX},
    "gru": {"encoder": GRU, "decoder": GRU_DECODER, "generator": SOFTMAX},
    "gru to transformer": {"encoder": GRU, "decoder": TRANSFORMER, "generator": SOFTMAX},
    "transformer to gru": {"encoder": TRANSFORMER, "decoder": GRU_DECODER, "generator": SOFTMAX},
}
NAMES = tuple(MODELS)


def model_of(name, *, precision="fp64", seed=1, width=8, vocabulary=VOCABULARY, **changes):
    """A model of MODELS; `changes` go to the section `model`."""
    values = {"width": width, "front": {"kind": "ids"}, "embeddings": "tied", **MODELS[name]}
    settings = parse(ModelSettings, {**values, **changes}, "tests")
    return build(settings, vocabulary, vocabulary, shared=True, precision=precision, seed=seed)


def exact(model):
    """The same model, its very weights, in float64: what is left of a difference is rounding."""
    vocabularies = model.source_vocabulary, model.target_vocabulary
    twin = build(model.settings, *vocabularies, shared=True, precision="fp64", seed=0)
    with torch.no_grad():
        for ours, theirs in zip(twin.parameters(), model.parameters(), strict=True):
            ours.copy_(theirs)
    return twin


def without_dropout(part):
    """A part's settings with every rate at 0."""
    return {key: 0.0 if key.endswith("dropout") else value for key, value in part.items()}


def one_layer(part, dropout, *, times=1):
    """A part's settings with one layer, one rate of dropout, and `times` its channels."""
    channels = {
        key: value * times
        for key, value in part.items()
        if type(value) is int and key not in ("layers", "heads")
    }
    return {**without_dropout(part), **channels, "layers": 1, "dropout": dropout}


def examples(count, *, seed=0, longest=6, vocabulary=VOCABULARY):
    """Random sources (EOS last) and targets (bare) of mixed lengths, the longest among them."""
    random = np.random.default_rng(seed)
    pairs = []
    for number in range(count):
        lengths = (longest, longest) if number == 0 else random.integers(0, longest + 1, 2)
        source, target = (random.integers(4, vocabulary, length) for length in lengths)
        pairs.append(([*source.tolist(), 3], target.tolist()))
    return pairs


def batch(pairs, index=None):
    """A batch of (source, target) pairs; `index` is each one's place in its group."""
    sources = [np.array(source, np.int32) for source, _ in pairs]
    targets = [np.array(target, np.int32) for _, target in pairs]
    places = np.arange(len(pairs)) if index is None else np.array(index)
    return batch_of(sources, targets, places)


def loss(model, batch, chance=CHANCE):
    """All terms together."""
    return torch.stack(list(model.losses(batch, chance).values())).sum()


def gradients(model, batches, chance=CHANCE):
    """The loss of some batches, and every parameter's gradient, by name."""
    model.zero_grad()
    total = 0.0
    for part in batches:
        value = loss(model, part, chance)
        value.backward()
        total += float(value.detach())
    return total, {name: value.grad.clone() for name, value in model.named_parameters()}


def log_probs(model, batch, chance=None):
    """Log-probabilities at all flat positions of the prefixes, and the attention."""
    memory = model.read(batch, chance)
    step = model.teach(batch, memory, chance, attention=True)
    matrix = model.table("output").weight
    logits = step.output.to(matrix.dtype) @ matrix.to(step.output.dtype).to(matrix.dtype).T
    return logits.log_softmax(-1).detach(), step.attention.detach()


def by_example(flat, lengths):
    """Flat positions as one tensor an example."""
    return list(flat.split(list(lengths)))


def distance(ours, theirs):
    """The Euclidean distance of two gradients: rounding of many numbers, not of the unluckiest."""
    assert ours.keys() == theirs.keys()
    parts = [(ours[name].double() - theirs[name].double()).norm() for name in ours]
    return float(torch.stack(parts).norm())


def largest(ours, theirs):
    """The largest difference of two tensors, or of two dicts of tensors."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        return max(largest(ours[name], theirs[name]) for name in ours)
    assert ours.shape == theirs.shape
    return float((ours.double() - theirs.double()).abs().max()) if ours.numel() else 0.0
