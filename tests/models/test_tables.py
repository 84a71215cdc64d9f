"""Every member of the tables of parts keeps the contract of its part."""

import pytest
import torch

from pipeline.batches.batch import Ragged
from pipeline.models import DECODERS, ENCODERS, FRONTS, GENERATORS
from pipeline.models.seam import Searchable, Step
from pipeline.models.weights import fill


@pytest.fixture
def pairs(tiny):
    return tiny.examples(3)


@pytest.mark.parametrize("kind", sorted(FRONTS))
def test_a_front_end_gives_vectors_of_the_lengths_that_it_names(tiny, pairs, kind):
    model = tiny.model_of("transformer", front={"kind": kind}, embeddings="target")
    batch, settings = tiny.batch(pairs), model.settings.front
    ids, shape = batch.source.values, settings.shape()
    values = ids if settings.reads_ids else torch.rand(len(ids), *shape, dtype=torch.float64)
    table = model.table("source") if settings.reads_ids else None
    vectors = model.front(Ragged(values, batch.source.lengths), table, None)
    assert vectors.values.shape == (vectors.layout.positions, 8)
    assert vectors.layout.lengths == model.front.lengths(batch.source.lengths)
    assert (vectors.ids is None) is not settings.reads_ids
    if settings.reads_ids:
        assert shape == ()
        assert torch.equal(vectors.ids, ids)


@pytest.mark.parametrize("kind", sorted(ENCODERS))
def test_an_encoder_gives_a_memory_of_the_models_width(tiny, pairs, kind):
    model = tiny.model_of("transformer", encoder={"kind": kind, "layers": 1})
    memory = model.read(tiny.batch(pairs), tiny.CHANCE)
    assert memory.states.shape == (memory.layout.positions, 8)
    assert memory.summary.shape == (3, 8)


@pytest.mark.parametrize("kind", sorted(DECODERS))
def test_a_decoder_gives_outputs_and_attention_that_sums_to_one(tiny, pairs, kind):
    model = tiny.model_of("transformer", decoder={"kind": kind, "layers": 1})
    batch = tiny.batch(pairs)
    memory = model.read(batch, None)
    step = model.teach(batch, memory, None, attention=True)
    assert step.output.shape == (sum(batch.target.lengths), 8)
    assert step.attention.shape == (sum(batch.target.lengths), 7)
    assert step.attention.sum(1).tolist() == pytest.approx([1.0] * len(step.attention))
    assert model.teach(batch, memory, None).attention is None


@pytest.mark.parametrize("kind", sorted(GENERATORS))
def test_a_generator_gives_a_distribution_and_as_many_losses_as_weights(tiny, pairs, kind):
    model = tiny.model_of("transformer", generator={"kind": kind})
    batch = tiny.batch(pairs)
    terms = model.losses(batch, None)
    assert terms.keys() == model.weights.keys() == model.counts(batch).keys()
    state = model.encode(batch)
    log_probs, _, _ = model.advance(torch.full((3, 1), 2), state)
    assert log_probs.exp().sum(2).flatten().tolist() == pytest.approx([1.0] * 3)


@pytest.mark.parametrize("kind", sorted(ENCODERS))
def test_an_encoders_weights_depend_on_seed_and_name_alone(kind):
    first, again, other = (ENCODERS[kind](layers=1).build(8) for _ in range(3))
    torch.manual_seed(3)
    fill(first, 1)
    torch.manual_seed(4)
    fill(again, 1)
    fill(other, 2)
    same = zip(first.parameters(), again.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in same)
    pairs = zip(first.parameters(), other.parameters(), strict=True)
    assert any(not torch.equal(ours, theirs) for ours, theirs in pairs)


def test_a_model_is_searchable(tiny):
    assert isinstance(tiny.model_of("gru"), Searchable)
    assert Step.__slots__ == ("output", "attention")
