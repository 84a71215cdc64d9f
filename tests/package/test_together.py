"""Several packages as one predictor."""

import json
from pathlib import Path

import pytest

from pipeline.files import write_manifest
from pipeline.package.load import load
from pipeline.package.together import together
from pipeline.problems import Problem

TEXTS = ["Ein Hund lief.", "Das Kind aß."]


def test_a_package_twice_predicts_what_it_predicts_alone(package: Path):
    alone, both = load(package).predict(TEXTS), together([package, package]).predict(TEXTS)
    for one, other in zip(alone, both, strict=True):
        assert [h.text for h in one] == [h.text for h in other]
        assert [h.score for h in one] == pytest.approx([h.score for h in other], abs=1e-5)


def test_an_ensemble_scores_targets(package: Path):
    (one,) = together([package, package]).score(TEXTS[:1], ["Ein"])
    (alone,) = load(package).score(TEXTS[:1], ["Ein"])
    assert one.score == pytest.approx(alone.score, abs=1e-5)


def test_models_with_other_pieces_are_no_ensemble(make_package, package: Path, tmp_path: Path):
    other = make_package(tmp_path / "other")
    facts = other / "model" / "pieces" / "pieces.json"
    content = json.loads(facts.read_text())
    content["normaliser"]["form"] = "NFKC"
    facts.write_text(json.dumps(content))
    write_manifest(facts.parent)
    write_manifest(other, package_digest="other", modules="other")
    with pytest.raises(Problem, match="need the same pieces") as problem:
        together([package, other])
    assert problem.value.where == str(other)
