"""A loaded package predicts, beside other versions, with its own code; bad input is named."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from pipeline.decoding.allowed import Grammar, Texts
from pipeline.decoding.beam import Beam
from pipeline.decoding.decode import Decoding
from pipeline.decoding.greedy import Greedy
from pipeline.decoding.sampling import Sampling
from pipeline.files import write_manifest
from pipeline.package.load import load
from pipeline.problems import Problem
from pipeline.records import Hypothesis


def test_a_package_predicts_the_n_best_of_each_text_in_order(package):
    predictor = load(package)
    found = predictor.predict(["Ein Hund lief.", "", "Das  Kind aß."])
    assert [len(one) for one in found] == [2, 2, 2]
    assert all(isinstance(one, Hypothesis) for n_best in found for one in n_best)
    (alone,) = predictor.predict(["Das Kind aß."])
    assert [one.text for one in alone] == [one.text for one in found[2]]
    assert predictor.predict([]) == []
    assert len(predictor.package_digest) == 64


def test_n_best_and_beam_size_stand_in_for_the_stored_settings(package):
    predictor = load(package)
    stored = predictor.predict(["Ein Hund lief."])
    assert predictor.predict(["Ein Hund lief."], n_best=1) == [stored[0][:1]]
    assert predictor.predict(["Ein Hund lief."], n_best=2, beam_size=3) == stored
    assert len(predictor.predict(["Ein Hund lief."], n_best=5, beam_size=6)[0]) > 3


def test_greedy_packages_take_a_beam_too(make_package, package, tmp_path: Path):
    greedy = Decoding(search=Greedy(max_length_extra=4, max_length_ratio=0.5))
    predictor = load(make_package(tmp_path / "greedy", greedy))
    assert len(predictor.predict(["Ein Hund lief."])[0]) == 1
    beam = predictor.predict(["Ein Hund lief."], n_best=2, beam_size=3)
    assert beam == load(package).predict(["Ein Hund lief."])


def test_samplers_take_a_beam_too_and_say_how_they_score(make_package, tmp_path: Path):
    drawn = Decoding(search=Sampling(samples=2, max_length_extra=4, max_length_ratio=0.5))
    predictor = load(make_package(tmp_path / "sampling", drawn))
    assert predictor.predict(["Ein Hund lief."])[0][0].formula == "s, EOS counts in s"
    (beam,) = predictor.predict(["Ein Hund lief."], n_best=3, beam_size=3)
    assert len(beam) == 3
    assert beam[0].formula == "s / n, EOS counts in n"


def test_a_package_allows_what_its_settings_allow(make_package, tmp_path: Path):
    rules = Grammar(rules={"start": "(Ein|Das) [a-zA-Z]{2,4}\\."})
    listed = Texts(texts=("Das Kind aß.", "Ein Hund lief."))
    for number, allowed in enumerate((rules, listed)):
        decoding = Decoding(search=Beam(beam_size=3), allowed=allowed, n_best=2)
        found = load(make_package(tmp_path / str(number), decoding)).predict(["Ein Hund."])[0]
        for one in found:
            if allowed is listed:
                assert one.text in listed.texts
            else:
                assert re.fullmatch(rules.rules["start"], one.text)


def test_given_targets_are_scored_as_the_search_would_have(package):
    predictor = load(package)
    texts = ["Ein Hund lief.", "", "Das Kind aß."]
    found = [one[0] for one in predictor.predict(texts)]
    scored = predictor.score(texts, [one.text for one in found])
    assert [one.text for one in scored] == [one.text for one in found]
    for one, again in zip(found, scored, strict=True):
        assert again.formula == "s / n, EOS counts in n"
        if one.pieces == again.pieces:  # spelled as the pieces would
            assert again.score == pytest.approx(one.score, abs=1e-5)
    assert predictor.score([], []) == []
    with pytest.raises(Problem, match="3 texts need as many targets"):
        predictor.score(texts, ["x"])
    with pytest.raises(Problem, match="input 1: expected text"):
        predictor.score(texts, ["x", None, "y"])


def test_a_source_longer_than_training_saw_is_cut_as_it_was_there(make_package, tmp_path: Path):
    predictor = load(make_package(tmp_path / "short", max_source_pieces=4))
    long, longer = predictor.predict(["Ein Hund lief. " * 3, "Ein Hund lief. " * 30])
    assert long == longer


@pytest.mark.parametrize(
    ("texts", "options", "message"),
    [
        ("Ein Hund", {}, "expected a list of texts"),
        (["Ein Hund", None], {}, "input 1: expected text"),
        (["Ein Hund", 3.5], {}, "input 1: expected text"),
        (["Ein Hund"], {"n_best": 9}, "n_best is 9, but the search finds 3"),
        (["Ein Hund"], {"n_best": 0}, "n_best: Input should be greater than or equal to 1"),
        (["Ein Hund"], {"n_best": 1, "beam_size": -1}, "beam_size"),
        (["halb \ud800"], {}, "no valid text"),
    ],
)
def test_bad_input_is_a_problem_of_ours(package, texts, options, message):
    with pytest.raises(Problem, match=message):
        load(package).predict(texts, **options)


def test_two_versions_of_the_code_live_in_one_process(make_package, package, tmp_path: Path):
    other = make_package(tmp_path / "other")
    (folder,) = (other / "code").iterdir()
    folder = folder.rename(folder.with_name("seqline_other"))
    for path in folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace(next((package / "code").iterdir()).name, "seqline_other"))
    predictor = folder / "package" / "predictor.py"
    text = predictor.read_text(encoding="utf-8")
    assert "return hypotheses(self._pieces, found, str(decoding.search.formula()))" in text
    changed = text.replace(
        "return hypotheses(self._pieces, found, str(decoding.search.formula()))", "return []"
    )
    predictor.write_text(changed, encoding="utf-8")
    write_manifest(other, package_digest="other", modules="seqline_other")
    assert load(other).predict(["Ein Hund lief."]) == []
    assert load(package).predict(["Ein Hund lief."]) != []
    names = {name for name in sys.modules if name.startswith("seqline_")}
    assert {"seqline_other", next((package / "code").iterdir()).name} <= names


def test_loading_leaves_no_byte_code_in_the_folder(package):
    load(package)
    assert not list(package.rglob("__pycache__"))


def test_an_altered_or_incomplete_package_is_a_problem(package, tmp_path: Path):
    broken = tmp_path / "broken"
    shutil.copytree(package, broken)
    weights = broken / "model" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1])
    with pytest.raises(Problem, match="cut or altered"):
        load(broken)
    (broken / "manifest.json").unlink()
    with pytest.raises(Problem, match="no manifest"):
        load(broken)
