"""No file is both trained on and tested on, whatever it is called and however it is packed."""

import bz2
import gzip
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.overlap import check_corpora
from pipeline.problems import Problem

LEAK = [{"kind": "leak"}]
NAMES = {"source_language": "de", "target_language": "en"}
TRAIN = {"name": "news", "format": "parallel", "role": "train", "source": "a.de", "target": "a.en"}
TEST = {"name": "talks", "format": "parallel", "role": "test", "source": "b.de", "target": "b.en"}


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Check corpora on a few files; b.* are others than a.*."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    for name in ("a.de", "a.en", "b.de", "b.en"):
        (tmp_path / "data" / name).write_text(f"{name} 1\n{name} 2\n")
    content = (tmp_path / "data" / "a.de").read_bytes()
    (tmp_path / "data" / "c.de.gz").write_bytes(gzip.compress(content))
    (tmp_path / "data" / "d.de.bz2").write_bytes(bz2.compress(content))
    (tmp_path / "data" / "empty").touch()

    def run(*sources: dict[str, Any], rules: list[Any] = LEAK) -> list[str]:
        corpora = {"folder": "data", "sources": [{**source, **NAMES} for source in sources]}
        (tmp_path / "params.yaml").write_text(
            yaml.safe_dump({"corpora": corpora, "cleaning": {"rules": rules}})
        )
        return check_corpora()

    return run


def test_other_files_are_fine(check: Any) -> None:
    assert check(TRAIN, TEST) == []


@pytest.mark.parametrize("name", ["a.de", "c.de.gz", "d.de.bz2"])
def test_the_same_text_in_train_and_test_is_a_problem(check: Any, name: str) -> None:
    with pytest.raises(Problem) as caught:
        check(TRAIN, {**TEST, "source": name})
    assert str(caught.value) == (
        f"data/{name}: corpus 'talks' tests on what corpus 'news' trains on\n"
        "  remedy: name another file in params.yaml, corpora.sources"
    )


def test_a_corpus_that_is_split_is_trained_on_and_tested_on_too(check: Any) -> None:
    split = {key: value for key, value in TRAIN.items() if key != "role"}
    split |= {"name": "both", "split": {"test": 0.1}}
    assert check(split) == []
    with pytest.raises(Problem, match="'talks' tests on what corpus 'both' trains on"):
        check(split, {**TEST, "source": "c.de.gz"})
    with pytest.raises(Problem, match="'both' tests on what corpus 'news' trains on"):
        check(TRAIN, split)


def test_empty_files_and_groups_share_nothing(check: Any) -> None:
    assert check({**TRAIN, "source": "empty"}, {**TEST, "source": "empty"}) == []
    assert check({**TRAIN, "group": "b.en"}, {**TEST, "group": "b.en"}) == []


def test_without_the_rule_leak_it_is_said_that_nobody_looks(check: Any) -> None:
    assert check(TRAIN, TEST, rules=[{"kind": "empty"}]) == [
        "cleaning has no rule 'leak': what occurs in valid or test may be trained on"
    ]


def test_a_file_that_is_missing_is_a_problem(check: Any) -> None:
    with pytest.raises(Problem, match=r"nothing\.de"):
        check({**TRAIN, "source": "nothing.de"}, TEST)
