"""Copying: what it needs of the other parts is asked for before anything is computed."""

import pytest
import torch

from pipeline.models.seq2seq import build
from pipeline.models.settings import ModelSettings
from pipeline.problems import Problem
from pipeline.settings import parse


def settings(tiny, name="gru, copying", **changes):
    values = {"width": 8, "front": {"kind": "ids"}, **tiny.MODELS[name], **changes}
    return parse(ModelSettings, values, "params.yaml")


@pytest.mark.parametrize("sizes", [(9, 9), (9, 11)])
def test_copying_needs_shared_pieces(tiny, sizes):
    own = settings(tiny, embeddings="target")
    with pytest.raises(Problem, match="copying ids of the source needs shared pieces") as caught:
        build(own, *sizes, shared=False, precision="fp32", seed=1)
    assert caught.value.where == "params.yaml, model.generator"
    assert caught.value.remedy == "set pieces.shared: true, or model.generator.kind: softmax"


def test_copying_needs_a_decoder_that_attends(tiny):
    decoder = {**tiny.GRU, "attention": {"kind": "none"}}
    assert not settings(tiny, "gru", decoder=decoder).decoder.attends
    with pytest.raises(Problem, match="needs attention, and the decoder has none") as caught:
        settings(tiny, decoder=decoder)
    assert caught.value.where == "params.yaml, model.generator"
    assert "model.decoder.attention.kind: additive" in caught.value.remedy


def test_only_a_generator_that_copies_keeps_the_sources_ids(tiny):
    batch = tiny.batch([([4, 5, 3], []), ([6, 3], [])])
    assert "source ids" not in tiny.model_of("gru").encode(batch).fixed
    state = tiny.model_of("gru, copying").encode(batch)
    assert state.fixed["source ids"].tolist() == [[[4, 5, 3]], [[6, 3, 0]]]
    kept = state.select(torch.tensor([1]), torch.tensor([[0, 0]]))
    assert kept.fixed["source ids"].tolist() == [[[6, 3, 0]]]


def test_a_coverage_loss_is_a_term_where_it_has_a_weight(tiny):
    batch = tiny.batch(tiny.examples(3))
    positions = sum(batch.target.lengths)
    model = tiny.model_of("gru, copying", generator={"kind": "pointer"})
    assert model.weights == {"cross_entropy": 1.0}
    assert model.losses(batch, None).keys() == model.counts(batch).keys() == {"cross_entropy"}
    model = tiny.model_of("gru, copying")
    assert model.weights == {"cross_entropy": 1.0, "coverage": 0.5}
    assert model.counts(batch) == {"cross_entropy": positions, "coverage": positions}


def test_what_the_source_holds_is_copied_where_the_gate_says_so(tiny):
    """A gate that is shut leaves the attention alone: no other id has a probability."""
    model = tiny.model_of("transformer, copying, ctc")
    with torch.no_grad():
        model.generator.gate.weight.zero_()
        model.generator.gate.bias.fill_(-40.0)
    source = [4, 9, 4, 3]
    log_probs, attention, _ = model.advance(
        torch.tensor([[2]]), model.encode(tiny.batch([(source, [])]))
    )
    expected = torch.zeros(tiny.VOCABULARY, dtype=torch.float64)
    for place, number in enumerate(source):
        expected[number] += attention[0, 0, place]
    assert float((log_probs[0, 0].exp() - expected).abs().max()) < 1e-9
