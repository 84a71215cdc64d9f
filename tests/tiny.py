"""Every combination of parts that the laws hold for, a few channels wide, and batches for them.

A new front end, encoder, decoder or generator joins the laws, those of training and search too, by
a line in MODELS. Sources are ids for all of them: a front end of frames or images is shown four
columns of numbers for each id.
"""

from dataclasses import replace

import numpy as np
import torch

from pipeline.batches.batch import Ragged
from pipeline.batches.collate import batch_of
from pipeline.models.layout import Layout
from pipeline.models.seam import Chance
from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.settings import parse

VOCABULARY = 11
CHANCE = Chance(seed=5, step=7)

TRANSFORMER = {"kind": "transformer", "layers": 2, "heads": 2, "feedforward": 16,
               "dropout": 0.3, "attention_dropout": 0.2, "feedforward_dropout": 0.1}  # fmt: skip
NORMS_LAST = {**TRANSFORMER, "norm_first": False, "activation": "gelu", "positions": "learned",
              "max_positions": 64}  # fmt: skip
MODERN = {**TRANSFORMER, "norm": "rms", "activation": "swiglu", "positions": "rotary",
          "key_value_heads": 1, "layer_drop": 0.3}  # fmt: skip
ADDITIVE = {"kind": "additive", "attention_units": 5}
GRU = {"kind": "gru", "layers": 2, "units": 6, "dropout": 0.3}
GRU_DECODER = {**GRU, "attention": ADDITIVE}
COVERED = {**GRU, "layers": 1, "attention": {**ADDITIVE, "coverage": True}}
RNN = {"kind": "rnn", "layers": 1, "units": 6, "dropout": 0.3}
LSTM = {"kind": "lstm", "layers": 2, "units": 6, "dropout": 0.3, "variational": True,
        "residual": True, "norm": True}  # fmt: skip
FED = {**LSTM, "attention": {"kind": "general"}, "input_feeding": True}
DOT = {"kind": "lstm", "layers": 1, "units": 8, "dropout": 0.3, "attention": {"kind": "dot"}}
CHANNELS = ("units", "feedforward")
SOFTMAX = {"kind": "softmax", "label_smoothing": 0.1}
POINTER = {"kind": "pointer", "coverage": 0.5}
FRAMES = {"front": {"kind": "frames", "features": 3}, "embeddings": "target"}
PIXELS = {"front": {"kind": "pixels", "height": 5, "channels": 4}, "embeddings": "target"}
PATCHES = {"front": {"kind": "patches", "height": 4, "patch": 4}, "embeddings": "target"}

MODELS = {
    "transformer": {"encoder": TRANSFORMER, "decoder": TRANSFORMER, "generator": SOFTMAX},
    "transformer, norms last": {"encoder": NORMS_LAST, "decoder": NORMS_LAST, "generator": SOFTMAX},
    "transformer, modern": {"encoder": MODERN, "decoder": MODERN, "generator": SOFTMAX},
    "gru": {"encoder": GRU, "decoder": GRU_DECODER, "generator": SOFTMAX},
    "gru to transformer": {"encoder": GRU, "decoder": TRANSFORMER, "generator": SOFTMAX,
                           "source_word_dropout": 0.2, "target_word_dropout": 0.2},
    "transformer to gru": {"encoder": TRANSFORMER, "decoder": GRU_DECODER, "generator": SOFTMAX},
    "lstm": {"encoder": LSTM, "decoder": FED, "generator": SOFTMAX},
    "rnn, reversed to a fixed context": {
        "encoder": {**RNN, "bidirectional": False, "reversed": True},
        "decoder": {**RNN, "attention": {"kind": "none"}}, "generator": SOFTMAX},
    "gru, coverage": {"encoder": GRU, "decoder": COVERED, "generator": SOFTMAX},
    "transformer to lstm": {"encoder": TRANSFORMER, "decoder": DOT, "generator": SOFTMAX},
    "gru, copying": {"encoder": GRU, "decoder": GRU_DECODER, "generator": POINTER},
    "transformer, copying, ctc": {"encoder": TRANSFORMER, "decoder": TRANSFORMER,
                                  "generator": POINTER, "ctc": {"weight": 0.3}},
    "frames": {**FRAMES, "encoder": GRU, "decoder": TRANSFORMER, "generator": SOFTMAX,
               "ctc": {"weight": 0.3}},
    "pixels": {**PIXELS, "encoder": TRANSFORMER, "decoder": GRU_DECODER, "generator": SOFTMAX},
    "patches": {**PATCHES, "encoder": TRANSFORMER, "decoder": TRANSFORMER, "generator": SOFTMAX},
}  # fmt: skip
NAMES = tuple(MODELS)
# Laws of training see a model as counts and losses: these differ in what they draw and count.
TRAINED = ("transformer", "transformer, modern", "gru", "lstm", "transformer, copying, ctc")
ATTENDING = tuple(
    name
    for name, parts in MODELS.items()
    if "front" not in parts and parts["decoder"].get("attention") != {"kind": "none"}
)


def model_of(name, *, precision="fp64", seed=1, width=8, vocabulary=VOCABULARY, **changes):
    """A model of MODELS; `changes` go to the section `model`."""
    values = {"width": width, "front": {"kind": "ids"}, "embeddings": "tied", **MODELS[name]}
    settings = parse(ModelSettings, {**values, **changes}, "tests")
    model = build(settings, vocabulary, vocabulary, shared=True, precision=precision, seed=seed)
    return seeing(model)


def seeing(model):
    """The model; where its sources are no ids, it is shown four columns of numbers for each id.

    Up to three are missing at the end: a memory is as long as the ids, and full of half windows.
    """
    front = model.settings.front
    if front.reads_ids:
        return model
    draw = torch.Generator().manual_seed(8)
    columns = torch.randn(model.target_vocabulary, 4, *front.shape(), generator=draw)

    def shown(batch):
        sources = batch.source.values.split(batch.source.lengths)
        rows = [columns[ids].flatten(0, 1)[: 4 * len(ids) - len(ids) % 4] for ids in sources]
        return replace(batch, source=Ragged(torch.cat(rows), tuple(map(len, rows))))

    read, counts = model.read, model.counts
    model.read = lambda batch, chance: read(shown(batch), chance)
    model.counts = lambda batch: counts(shown(batch))
    return model


def exact(model):
    """The same model, its very weights, in float64: what is left of a difference is rounding."""
    vocabularies = model.source_vocabulary, model.target_vocabulary
    twin = build(model.settings, *vocabularies, shared=True, precision="fp64", seed=0)
    with torch.no_grad():
        for ours, theirs in zip(twin.parameters(), model.parameters(), strict=True):
            ours.copy_(theirs)
    return seeing(twin)


def without_dropout(part):
    """A part's settings with every rate at 0."""
    rates = [key for key in part if key.endswith(("dropout", "layer_drop"))]
    return {**part, **dict.fromkeys(rates, 0.0)}


def one_layer(part, dropout, *, times=1):
    """A part's settings with one layer, one rate of dropout, and `times` its channels."""
    wide = {key: part[key] * times for key in CHANNELS if key in part}
    inner = part.get("attention", {})
    if "attention_units" in inner:
        wide["attention"] = {**inner, "attention_units": inner["attention_units"] * times}
    if inner.get("kind") == "dot":
        del wide["units"]  # they are the width
    return {**without_dropout(part), **wide, "layers": 1, "dropout": dropout}


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
    """Log-probabilities at all flat positions of the prefixes, and the attention (zeros: none)."""
    memory = model.read(batch, chance)
    step = model.teach(batch, memory, chance, attention=True)
    ids = None
    if memory.ids is not None:
        layout = Layout(batch.prefix.lengths, memory.ids.device)
        ids = memory.layout.pad(memory.ids)[layout.sequence]
    found = model.generator.log_probs(step, ids, model.table("output"))
    if step.attention is None:
        return found.detach(), found.new_zeros(len(found), memory.layout.longest)
    return found.detach(), step.attention.detach()


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
