"""Laws of padding, batch, cache and score for every front end with every encoder, decoder,
attention and generator. A new member of a table is in it by itself."""

import itertools

import pytest
import torch

from pipeline.models import ATTENTIONS, DECODERS, ENCODERS, FRONTS, GENERATORS

SMALL = {  # fields that make a part small, or turn its dropout on
    "layers": 1,
    "units": 8,
    "heads": 2,
    "feedforward": 8,
    "dropout": 0.3,
    "features": 3,
    "height": 4,
    "channels": 2,
    "patch": 4,
}
PAIRS = [([4, 5, 6, 7, 3], [5, 8]), ([9, 3], []), ([8, 8, 3], [4, 4, 10, 6])]


def small(table, kind):
    """The member's section of params.yaml, with what makes it small."""
    fields = table[kind].model_fields
    return {"kind": kind, **{name: value for name, value in SMALL.items() if name in fields}}


def decoders():
    """Every decoder, with every attention where it has a choice."""
    for kind, member in DECODERS.items():
        if "attention" in member.model_fields:
            for attention in ATTENTIONS:
                yield kind, attention
        else:
            yield kind, None


def combinations():
    """Front end, encoder, decoder, attention, generator; copying only where there is what to."""
    for front, encoder, (decoder, attention), generator in itertools.product(
        FRONTS, ENCODERS, decoders(), GENERATORS
    ):
        copies = GENERATORS[generator].copies
        attends = attention is None or ATTENTIONS[attention].attends
        if not copies or (FRONTS[front].reads_ids and attends):
            yield pytest.param(
                (front, encoder, decoder, attention, generator),
                id=" ".join(filter(None, (front, encoder, decoder, attention, generator))),
            )


@pytest.fixture(params=list(combinations()))
def model(tiny, request):
    front, encoder, decoder, attention, generator = request.param
    changes = {
        "front": small(FRONTS, front),
        "encoder": small(ENCODERS, encoder),
        "decoder": small(DECODERS, decoder),
        "generator": small(GENERATORS, generator),
        "embeddings": "tied" if FRONTS[front].reads_ids else "target",
    }
    if attention:
        changes["decoder"]["attention"] = small(ATTENTIONS, attention)
    return tiny.model_of("transformer", **changes)


def test_whatever_lies_side_by_side_losses_and_gradients_add_up(tiny, model):
    together = tiny.gradients(model, [tiny.batch(PAIRS)])
    apart = tiny.gradients(model, [tiny.batch([PAIRS[place]], [place]) for place in (2, 0, 1)])
    assert together[0] == pytest.approx(apart[0], abs=1e-9)
    assert tiny.largest(together[1], apart[1]) < 1e-9


def test_stepping_and_selecting_is_the_forced_pass_and_sums_to_one(tiny, model):
    sources = [source for source, _ in PAIRS]
    state = model.encode(tiny.batch([(source, []) for source in sources]))
    prefixes = [[[]] for _ in sources]
    ids = torch.full((3, 1), 2)
    for step, beams in enumerate(([[0, 0]] * 3, [[1, 0], [0, 0]], [[1], [0]])):
        log_probs, _, state = model.advance(ids, state)
        assert float((log_probs.exp().sum(-1) - 1).abs().max()) < 1e-9
        forced = forced_log_probs(tiny, model, sources, prefixes)
        assert tiny.largest(log_probs.flatten(0, 1), forced) < 1e-9
        kept = torch.tensor([2, 0]) if step == 1 else None
        places = range(len(sources)) if kept is None else kept.tolist()
        sources, prefixes = ([rows[n] for n in places] for rows in (sources, prefixes))
        state = state.select(kept, torch.tensor(beams))
        prefixes = [
            [[*row[beam], 4 + step + k] for k, beam in enumerate(chosen)]
            for row, chosen in zip(prefixes, beams, strict=True)
        ]
        ids = torch.tensor([[prefix[-1] for prefix in row] for row in prefixes])


def forced_log_probs(tiny, model, sources, prefixes):
    """What follows each prefix of each source, in one pass over all of them."""
    pairs = [(source, one) for source, row in zip(sources, prefixes, strict=True) for one in row]
    batch = tiny.batch(pairs)
    found, _ = tiny.log_probs(model, batch)
    return torch.stack([rows[-1] for rows in tiny.by_example(found, batch.prefix.lengths)])
