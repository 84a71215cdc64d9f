"""Options of recurrent parts that do not fit are found when parameters are loaded."""

import pytest

from pipeline.models.settings import ModelSettings
from pipeline.problems import Problem
from pipeline.settings import parse

KINDS = ("rnn", "gru", "lstm")


def settings(encoder=None, decoder=None, **changes):
    values = {
        "width": 8,
        "front": {"kind": "ids"},
        "encoder": {"kind": "lstm", **(encoder or {})},
        "decoder": {"kind": "lstm", "units": 8, **(decoder or {})},
        "generator": {"kind": "softmax"},
    }
    return parse(ModelSettings, {**values, **changes}, "params.yaml")


def test_dot_attention_needs_units_as_wide_as_the_model():
    decoder = {"units": 6, "attention": {"kind": "dot"}}
    with pytest.raises(Problem, match="attention dot needs as many units") as caught:
        settings(decoder=decoder)
    assert (caught.value.where, caught.value.value) == ("params.yaml, model.decoder.units", 6)
    assert caught.value.remedy == "set it to 8, or model.decoder.attention.kind: general"
    assert settings(decoder={**decoder, "units": 8}).decoder.attends


def test_reversal_needs_a_single_direction():
    with pytest.raises(Problem, match="no order to reverse") as caught:
        settings(encoder={"reversed": True})
    assert caught.value.where == "params.yaml, model.encoder.reversed"
    assert caught.value.remedy == "set model.encoder.bidirectional: false"
    assert settings(encoder={"reversed": True, "bidirectional": False}).encoder.reversed


@pytest.mark.parametrize("kind", ["dot", "general", "none"])
def test_coverage_belongs_to_additive_attention(kind):
    message = f"unknown parameter 'coverage' of kind '{kind}': additive has it"
    with pytest.raises(Problem, match=message) as caught:
        settings(decoder={"attention": {"kind": kind, "coverage": True}})
    assert caught.value.where == "params.yaml, decoder.attention"
    assert caught.value.value == {"kind": kind, "coverage": True}


def test_an_unknown_attention_is_answered_with_the_nearest():
    with pytest.raises(Problem, match=r"did you mean 'additive'\?"):
        settings(decoder={"attention": {"kind": "aditive"}})


def test_copying_from_a_fixed_context_is_a_problem():
    with pytest.raises(Problem, match="needs attention"):
        settings(decoder={"attention": {"kind": "none"}}, generator={"kind": "pointer"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_dumped_section_is_read_back_as_it_was(kind):
    part = {"kind": kind, "attention": {"kind": "additive", "coverage": True}}
    read = settings(encoder={"kind": kind}, decoder=part)
    assert parse(ModelSettings, read.model_dump(), "model.json") == read


def test_a_fixed_context_brings_no_attention(tiny):
    model = tiny.model_of("rnn, reversed to a fixed context")
    batch = tiny.batch(tiny.examples(3))
    assert not model.settings.decoder.attends
    assert model.teach(batch, model.read(batch, None), None, attention=True).attention is None
