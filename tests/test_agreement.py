"""Sections that do not go together are Problems before a stage runs."""

from copy import deepcopy

import pytest
import yaml

from pipeline.agreement import Sections, check_allowed, check_sections
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import write_pieces
from pipeline.problems import Problem
from pipeline.settings import parse

PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 16}
LEARNED = {**PART, "positions": "learned"}
FIXED = {"kind": "gru", "units": 4, "attention": {"kind": "none"}}
VALUES = {
    "pieces": {"kind": "unigram", "vocabulary": 300},
    "encoding": {"max_source_pieces": 20, "max_target_pieces": 30},
    "model": {
        "width": 8, "front": {"kind": "ids"}, "encoder": PART, "decoder": PART,
        "generator": {"kind": "softmax"},
    },
    "decoding": {"search": {"kind": "beam", "max_length_ratio": 1.5, "max_length_extra": 4}},
}  # fmt: skip


def sections(**changes):
    values = deepcopy(VALUES)
    for section, fields in changes.items():
        values[section] |= fields
    return parse(Sections, values, "params.yaml")


def problem(**changes):
    with pytest.raises(Problem) as caught:
        check_sections(sections(**changes))
    return caught.value


def test_sections_that_go_together_pass():
    check_sections(sections())
    check_sections(sections(decoding={"search": {"kind": "beam", "coverage_penalty": 0.2}}))
    decoder = {**LEARNED, "max_positions": 34}  # floor(1.5 · 20) + 4 ids; BOS and 30 of a target
    check_sections(
        sections(model={"encoder": {**LEARNED, "max_positions": 20}, "decoder": decoder})
    )


def test_the_recipes_go_together(root):
    for path in sorted((root / "recipes").glob("*.yaml")):
        values = yaml.safe_load(path.read_text())
        used = {name: values[name] for name in Sections.model_fields}
        check_sections(parse(Sections, used, str(path)))


def test_learned_positions_reach_what_encoding_allows():
    short = problem(model={"encoder": {**LEARNED, "max_positions": 19}})
    assert short.where == "params.yaml, model.encoder"
    assert short.what == (
        "encoding allows sequences longer than the 19 positions that the encoder takes"
    )
    assert short.value == 20
    assert short.remedy == (
        "raise model.encoder.max_positions to 20 at least, or lower encoding.max_source_pieces"
    )
    short = problem(model={"decoder": {**LEARNED, "max_positions": 30}})
    assert (short.where, short.value) == ("params.yaml, model.decoder", 31)
    assert "lower encoding.max_target_pieces" in short.remedy


def test_learned_positions_reach_what_a_search_may_write():
    short = problem(model={"decoder": {**LEARNED, "max_positions": 33}})
    assert short.where == "params.yaml, model.decoder.max_positions"
    assert short.what == (
        "decoding.search may write 34 ids of a source of 20, more than the 33 positions that the "
        "decoder takes"
    )
    assert short.value == 33
    assert short.remedy == (
        "raise it to 34, or lower decoding.search.max_length_ratio, or encoding.max_source_pieces"
    )


@pytest.mark.parametrize(
    ("model", "key", "what"),
    [
        ({}, "embeddings", "one table for source and target needs shared pieces"),
        (
            {"embeddings": "target", "generator": {"kind": "pointer"}},
            "generator",
            "copying ids of the source needs shared pieces",
        ),
    ],
)
def test_one_vocabulary_for_both_sides_needs_shared_pieces(model, key, what):
    found = problem(pieces={"shared": False}, model=model)
    assert (found.where, found.what) == (f"params.yaml, model.{key}", what)
    assert found.remedy.startswith("set pieces.shared: true, or ")
    check_sections(sections(pieces={"shared": True}, model=model))


def test_a_coverage_penalty_needs_attention():
    search = {"kind": "beam", "coverage_penalty": 0.2}
    found = problem(model={"decoder": FIXED}, decoding={"search": search})
    assert found.where == "params.yaml, decoding.search.coverage_penalty"
    assert found.value == 0.2
    assert found.remedy == "set it to 0, or model.decoder.attention.kind: additive"


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """Pieces of Latin letters and digits, without bytes."""
    folder = tmp_path_factory.mktemp("pieces")
    texts = ["am 24.12. um 7", "am 1.10. um 12", "um 10 am 2.", "nie"] * 20
    trainer = TRAINERS["unigram"](vocabulary=24, byte_fallback=False, threads=1)
    write_pieces(folder, (trainer.train(texts),), Normaliser())
    return folder


def allowed(kind, value, **model):
    field = {"texts": "texts", "grammar": "rules"}[kind]
    decoding = {"allowed": {"kind": kind, field: value}}
    return sections(model=model, decoding=decoding)


def test_what_the_pieces_spell_passes(pieces):
    check_allowed(sections(), pieces)
    check_allowed(allowed("texts", ["am 12.", "nie"]), pieces)
    check_allowed(allowed("grammar", {"start": "am [0-9]+"}), pieces)


def test_a_text_that_the_pieces_cannot_spell_is_a_problem(pieces):
    with pytest.raises(Problem, match="no piece spells") as caught:
        check_allowed(allowed("texts", ["nie", "niß"]), pieces)
    assert (caught.value.where, caught.value.value) == ("decoding.allowed.texts", "niß")


def test_a_grammar_that_the_pieces_cannot_spell_is_a_problem(pieces):
    with pytest.raises(Problem, match="no sequence of pieces spells anything") as caught:
        check_allowed(allowed("grammar", {"start": "[x-z]+|ß"}), pieces)
    assert caught.value.where == "decoding.allowed.rules"


def test_an_allowed_output_that_no_position_is_left_for_is_a_problem(pieces):
    short = allowed("texts", ["2" * 80], decoder={**LEARNED, "max_positions": 34})
    check_sections(short)
    with pytest.raises(Problem, match=r"the shortest output of decoding\.allowed has") as caught:
        check_allowed(short, pieces)
    assert caught.value.where == "params.yaml, model.decoder.max_positions"
