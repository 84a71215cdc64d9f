"""Law: named combinations of parts learn to copy (length ≤ 4), decoded by search, EOS included,
three fixed seeds; and to reverse, with the first of them."""

import itertools

import pytest
import torch

from pipeline.decoding.decode import decode
from pipeline.decoding.greedy import Greedy
from pipeline.models.seam import Chance

VOCABULARY = 7  # three letters
WIDTH = 32
COMBINATIONS = (
    "transformer",
    "transformer, norms last",
    "transformer, modern",
    "gru",
    "gru, coverage",
    "gru, copying",
    "lstm",
    "gru to transformer",
    "transformer to gru",
    "transformer to lstm",
    "transformer, copying, ctc",
    "rnn, reversed to a fixed context",
)
LAYERS = {"transformer, modern": 2}  # else 1: from distances alone, places take a second layer
STEPS = 240  # at most; a combination is looked at every so often, and most take a third
OFTEN = 20


def words():
    """All words of one to four letters: 120."""
    lengths = range(1, 5)
    return [list(word) for n in lengths for word in itertools.product(range(4, 7), repeat=n)]


def drawn(tiny, combination, seed):
    """The combination with one layer on each side, wide enough for the task."""
    settings = tiny.MODELS[combination]
    parts = {part: tiny.one_layer(settings[part], 0.05, times=6) for part in ("encoder", "decoder")}
    for part in parts.values():
        part["layers"] = LAYERS.get(combination, 1)
        if part.get("attention") == {"kind": "dot"}:
            part["units"] = WIDTH
    return tiny.model_of(
        combination, precision="fp32", seed=seed, width=WIDTH, vocabulary=VOCABULARY, **parts
    )


def wrong(model, targets):
    """How many words the model does not write as it should, EOS at their ends."""
    found = decode(model, [[*word, 3] for word in words()], Greedy(), batch_sentences=400)
    return sum(list(best.ids) != target for (best,), target in zip(found, targets, strict=True))


def steps_until_learned(tiny, model, seed, targets):
    """A plain loop: all words in every step, Adam, a rate that falls to nothing; None: not."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2, fused=True)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, STEPS)
    batch = tiny.batch(
        [([*word, 3], target) for word, target in zip(words(), targets, strict=True)]
    )
    for step in range(STEPS):
        loss = model.losses(batch, Chance(seed, step))["cross_entropy"]
        optimizer.zero_grad()
        (loss / model.counts(batch)["cross_entropy"]).backward()
        optimizer.step()
        schedule.step()
        if (step + 1) % OFTEN == 0 and wrong(model, targets) == 0:
            return step + 1
    return None


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("named", COMBINATIONS)
def test_copying_is_learned(tiny, named, seed):
    model = drawn(tiny, named, seed)
    assert steps_until_learned(tiny, model, seed, words())


@pytest.mark.parametrize("named", COMBINATIONS)
def test_reversing_is_learned(tiny, named):
    model = drawn(tiny, named, seed=1)
    assert steps_until_learned(tiny, model, 1, [word[::-1] for word in words()])
