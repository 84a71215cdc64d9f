import re

import pytest

from pipeline.corpora import READERS
from pipeline.corpora.selection import Corpora
from pipeline.problems import Problem
from pipeline.settings import parse

FILES = {"source": "a.de", "target": "a.en", "source_language": "de", "target_language": "en"}
GOOD = {"name": "a", "format": "parallel", "role": "train", **FILES}


def corpora(*sources):
    return parse(Corpora, {"folder": "data", "sources": list(sources)}, "params.yaml, corpora")


def without(key):
    return {name: value for name, value in GOOD.items() if name != key}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (GOOD | {"format": "paralel"}, "did you mean 'parallel'"),
        (without("format"), "unknown format 'None'"),
        (GOOD | {"rolle": "train"}, "rolle"),
        (GOOD | {"role": "dev"}, "'train', 'valid' or 'test'"),
        (without("role"), "give either role"),
        (GOOD | {"split": {"valid": 0.1}}, "give either role"),
        (without("role") | {"split": {"valid": 0.5, "test": 0.5}}, "leave nothing for train"),
        (without("source"), "sources.0.source"),
        (GOOD | {"name": "a/b"}, "sources.0.name"),
        (GOOD | {"line_end": "cr"}, "'lf' or 'crlf'"),
    ],
)
def test_an_impossible_corpus_is_one_problem_that_says_where(source, message):
    with pytest.raises(Problem, match=re.escape(message)):
        corpora(source)


def test_names_differ_because_they_name_test_sets_and_ids():
    with pytest.raises(Problem, match="two corpora are called 'a'"):
        corpora(GOOD, GOOD)


def test_no_corpus_is_a_problem():
    with pytest.raises(Problem, match=r"corpora, sources"):
        corpora()


def test_a_missing_file_is_found_before_anything_is_read(tmp_path):
    (tmp_path / "a.de").write_text("x\n")
    chosen = parse(Corpora, {"folder": tmp_path, "sources": [GOOD]}, "params.yaml")
    with pytest.raises(Problem, match="file not found") as caught:
        chosen.check_files()
    assert caught.value.where == str(tmp_path / "a.en")


@pytest.fixture
def data(tmp_path):
    """A folder with the two files of `GOOD`, and one beside it."""
    (tmp_path / "data").mkdir()
    for name in ("data/a.de", "data/a.en", "beside"):
        (tmp_path / name).write_text("x\n")
    return tmp_path / "data"


@pytest.mark.parametrize("name", ["../beside", "../data/../beside", "{}/../beside", "/dev/null"])
def test_a_file_outside_the_folder_is_refused(data, name):
    source = GOOD | {"target": name.format(data)}
    chosen = parse(Corpora, {"folder": data, "sources": [source]}, "params.yaml")
    with pytest.raises(Problem, match="corpus 'a' lies outside") as caught:
        chosen.check_files()
    assert caught.value.where == "params.yaml, corpora.sources"
    assert caught.value.value == str(data / name.format(data))


@pytest.mark.parametrize("name", ["a.en", "./a.en", "{}/a.en", "link"])
def test_a_file_inside_the_folder_may_be_absolute_or_a_link(data, name, monkeypatch):
    (data / "link").symlink_to(data.parent / "beside")
    source = GOOD | {"target": name.format(data)}
    monkeypatch.chdir(data.parent)
    for folder in (data, "data"):
        parse(Corpora, {"folder": folder, "sources": [source]}, "params.yaml").check_files()


def test_settings_come_back_from_their_dump():
    chosen = corpora(GOOD)
    dumped = chosen.model_dump()["sources"][0]
    assert dumped["source"].as_posix() == "a.de"
    assert corpora({**dumped, "format": "parallel"}) == chosen


@pytest.mark.parametrize("name", sorted(READERS))
def test_every_reader_is_a_corpus_with_a_documented_name_and_example(name):
    import sys

    module = sys.modules[READERS[name].__module__]
    assert "xample" in module.__doc__
    assert {"name", "source_language", "target_language"} <= set(READERS[name].model_fields)
