"""Law: named combinations of parts learn to copy (length ≤ 4), decoded by search, EOS included,
three fixed seeds."""

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
STEPS = {  # else 100: attention without a recurrence takes longer to find its places
    "transformer": 200,
    "transformer, modern": 200,
    "gru to transformer": 200,
    "transformer to lstm": 200,
}


def words():
    """All words of one to four letters: 120."""
    lengths = range(1, 5)
    return [list(word) for n in lengths for word in itertools.product(range(4, 7), repeat=n)]


def trained(tiny, combination, seed):
    """A plain loop: all words in every step, Adam, a rate that falls to nothing."""
    settings = tiny.MODELS[combination]
    parts = {part: tiny.one_layer(settings[part], 0.05, times=6) for part in ("encoder", "decoder")}
    for part in parts.values():
        part["layers"] = LAYERS.get(combination, 1)
        if part.get("attention") == {"kind": "dot"}:
            part["units"] = WIDTH
    model = tiny.model_of(
        combination, precision="fp32", seed=seed, width=WIDTH, vocabulary=VOCABULARY, **parts
    )
    steps = STEPS.get(combination, 100)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, steps)
    batch = tiny.batch([([*word, 3], word) for word in words()])
    for step in range(steps):
        loss = model.losses(batch, Chance(seed, step))["cross_entropy"]
        optimizer.zero_grad()
        (loss / model.counts(batch)["cross_entropy"]).backward()
        optimizer.step()
        schedule.step()
    return model


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("named", COMBINATIONS)
def test_copying_is_learned(tiny, named, seed):
    model = trained(tiny, named, seed)
    found = decode(model, [[*word, 3] for word in words()], Greedy(), batch_sentences=400)
    right = [list(best.ids) == word for (best,), word in zip(found, words(), strict=True)]
    assert sum(right) == len(right)
