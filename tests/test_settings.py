"""Settings: whatever does not fit in a YAML file is one Problem with file and key."""

from pathlib import Path

import pytest
from pydantic import model_validator

from pipeline.problems import Problem
from pipeline.settings import Settings, load, parse, read_yaml


class Inner(Settings):
    width: int = 1
    depth: int = 1


class Outer(Settings):
    inner: Inner = Inner()
    names: dict[str, int] = {}  # noqa: RUF012 (a field)


def read(tmp_path, content):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    return load(Outer, path)


def test_a_file_becomes_settings_and_other_sections_are_left_alone(tmp_path):
    content = b"inner: {width: 3}\nnames: {a: 1}\nothers: {5: x}\n"
    assert read(tmp_path, content) == Outer(inner=Inner(width=3), names={"a": 1})


@pytest.mark.parametrize(
    ("content", "where", "key"),
    [
        (b"inner: {on: 1}", ", inner", True),
        (b"inner: {5: 1}", ", inner", 5),
        (b"names: {a: 1, 2026-01-01: 2}", ", names", "datetime.date(2026, 1, 1)"),
        (b"names: {a: [{~: 1}]}", ", names.a.0", None),
    ],
)
def test_a_key_that_yaml_takes_for_something_else_is_a_problem(tmp_path, content, where, key):
    with pytest.raises(Problem, match="a key is no text") as caught:
        read(tmp_path, content)
    assert caught.value.where == f"{tmp_path / 'params.yaml'}{where}"
    assert caught.value.value == key or repr(caught.value.value) == key
    assert "quotes" in caught.value.remedy


def test_a_key_of_the_uppermost_mapping_is_named_by_the_file():
    with pytest.raises(Problem, match="a key is no text") as caught:
        parse(Outer, {True: 1}, "machine.yaml")
    assert caught.value.where == "machine.yaml"


def test_a_missing_section_among_odd_keys_is_a_problem(tmp_path):
    class Needy(Settings):
        inner: Inner

    (tmp_path / "params.yaml").write_text("5: x\non: y\ninnr: {}\n")
    with pytest.raises(Problem, match="section 'inner' is missing") as caught:
        load(Needy, tmp_path / "params.yaml")
    assert caught.value.remedy == "add it; did you mean 'innr'?"


def test_an_unknown_key_comes_with_the_nearest_beside_it(tmp_path):
    with pytest.raises(Problem, match="unknown parameter") as caught:
        read(tmp_path, b"inner: {widht: 3}")
    assert caught.value.where == f"{tmp_path / 'params.yaml'}, inner.widht"
    assert caught.value.remedy == "did you mean 'width'?"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a: [1", "broken YAML"),
        (b"a: 2026-02-31", "broken YAML: day is out of range"),
        (b"a: " + b"9" * 5000, "broken YAML: Exceeds the limit"),
        (b"a: \xff", "not UTF-8"),
        (b"a: \x01", "broken YAML"),
        (b"[1, 2]", "expected keys and values"),
    ],
)
def test_a_file_that_is_no_yaml_is_a_problem(tmp_path, content, what):
    with pytest.raises(Problem, match=what) as caught:
        read(tmp_path, content)
    assert caught.value.where.startswith(str(tmp_path / "params.yaml"))


def test_a_file_that_is_missing_or_a_folder_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="file not found"):
        read_yaml(tmp_path / "none")
    with pytest.raises(Problem, match="cannot read: Is a directory") as caught:
        read_yaml(tmp_path)
    assert caught.value.where == str(tmp_path)


def test_a_file_that_may_not_be_read_is_a_problem(tmp_path, monkeypatch):
    def refused(path, encoding):
        raise PermissionError(13, "Permission denied")  # root, who may run this, reads everything

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(Problem, match="cannot read: Permission denied"):
        read_yaml(tmp_path / "params.yaml")


def test_what_concerns_several_fields_is_told_of_their_section():
    class Range(Settings):
        low: int
        high: int

        @model_validator(mode="after")
        def _rises(self):
            if self.low > self.high:
                raise ValueError("low is above high")
            return self

    with pytest.raises(Problem) as caught:
        parse(Range, {"low": 2, "high": 1}, "params.yaml, range")
    assert (caught.value.where, caught.value.what) == ("params.yaml, range", "low is above high")


@pytest.mark.parametrize("name", ["size", "nfiles"])
def test_the_names_that_dvc_ignores_are_refused(name):
    with pytest.raises(TypeError, match="DVC ignores parameters"):
        type("Bad", (Settings,), {"__annotations__": {name: int}, name: 1})


def test_a_number_without_end_is_refused(tmp_path):
    (tmp_path / "params.yaml").write_text("part: {rate: .inf}\n")

    class Part(Settings):
        rate: float

    with pytest.raises(Problem, match="finite") as caught:
        load(
            type("All", (Settings,), {"__annotations__": {"part": Part}}), tmp_path / "params.yaml"
        )
    assert "part.rate" in str(caught.value)
