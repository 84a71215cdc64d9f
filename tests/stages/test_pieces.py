import hashlib

import pytest

from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem

UPTO = ["ingest", "clean", "pieces"]


def digests(folder):
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def test_a_joint_model_with_its_normaliser(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), UPTO)
    assert sorted(p.name for p in (out / "pieces").iterdir()) == [
        "joint.model",
        "manifest.json",
        "pieces.json",
    ]
    pieces = Pieces.read(out / "pieces")
    assert (pieces.shared, pieces.source_vocabulary, pieces.target_vocabulary) == (True, 300, 300)
    assert pieces.normaliser.model_dump() == dataline.PARAMS["normaliser"]


def test_separate_models_are_learned_from_their_sides(dataline, tmp_path):
    kinds = {"kind": "bpe", "vocabulary": 295, "shared": False, "threads": 1}
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), UPTO, pieces=kinds)
    pieces = Pieces.read(out / "pieces")
    assert not pieces.shared
    text = ["The bird number 5 runs."]
    assert len(pieces.encode_target(text)[0]) < len(pieces.encode_source(text)[0])


def test_each_side_may_have_a_kind_of_its_own(dataline, tmp_path):
    words = {"kind": "word", "vocabulary": 400, "threads": 1}
    kinds = {"kind": "character", "vocabulary": 300, "shared": False, "target": words}
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), UPTO, pieces=kinds)
    pieces = Pieces.read(out / "pieces")
    assert len(pieces.encode_source(["The bird runs."])[0]) == 16  # a space before, EOS after
    assert len(pieces.encode_target(["The bird runs."])[0]) == 3


def test_the_same_rows_give_the_same_bytes(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora")
    one = dataline.run(tmp_path / "one", corpora, UPTO)
    two = dataline.run(tmp_path / "two", corpora, UPTO)
    assert digests(one / "pieces") == digests(two / "pieces")


def test_a_sample_bounds_what_is_read_and_is_the_same_each_time(dataline, tmp_path):
    kinds = {"kind": "unigram", "vocabulary": 300, "threads": 1, "sample_rows": 40}
    corpora = dataline.corpus(tmp_path / "corpora")
    one = dataline.run(tmp_path / "one", corpora, UPTO, pieces=kinds)
    two = dataline.run(tmp_path / "two", corpora, UPTO, pieces=kinds)
    whole = dataline.run(tmp_path / "whole", corpora, UPTO, pieces=kinds | {"sample_rows": 10_000})
    assert digests(one / "pieces") == digests(two / "pieces")
    assert digests(one / "pieces") != digests(whole / "pieces")


def test_a_vocabulary_that_the_corpus_cannot_fill_names_the_largest(dataline, tmp_path):
    kinds = {"kind": "unigram", "vocabulary": 9_000, "threads": 1}
    corpora = dataline.corpus(tmp_path / "corpora")
    with pytest.raises(Problem, match="Please set it to a value <= ") as caught:
        dataline.run(tmp_path, corpora, UPTO, pieces=kinds)
    assert caught.value.where == "params.yaml, pieces.vocabulary"
