"""Outputs are written and read back; what is no line of outputs is named by file and line."""

from pathlib import Path

import pytest

from pipeline.outputs import Output, read_outputs, rows_digest, write_outputs
from pipeline.problems import Problem
from pipeline.records import Hypothesis

ROW = Output(
    id="test:0",
    corpus="test",
    group="test:0",
    source="Ein Hund\u2028läuft.",
    references=("A dog runs.", "A dog is running."),
    source_language="de",
    target_language="en",
    hypotheses=(Hypothesis("A dog runs.", -0.25, -1.0, 4),),
)


def test_outputs_are_read_as_they_were_written_whatever_characters_they_hold(tmp_path: Path):
    write_outputs(tmp_path / "b.jsonl", [ROW])
    write_outputs(tmp_path / "a.jsonl", [ROW, ROW])
    assert read_outputs(tmp_path) == {"a": [ROW, ROW], "b": [ROW]}
    assert list(read_outputs(tmp_path)) == ["a", "b"]
    assert ROW.text == "A dog runs."


def test_a_digest_covers_ids_sources_and_references_but_no_hypothesis():
    other = Output(**{name: getattr(ROW, name) for name in Output.__slots__} | {"hypotheses": ()})
    assert rows_digest([ROW]) == rows_digest([other])
    changed = Output(**{name: getattr(ROW, name) for name in Output.__slots__} | {"id": "test:1"})
    assert rows_digest([ROW]) != rows_digest([changed])


def test_a_broken_line_is_named(tmp_path: Path):
    write_outputs(tmp_path / "a.jsonl", [ROW])
    with (tmp_path / "a.jsonl").open("a") as file:
        file.write('{"id": "test:1"}\n')
    with pytest.raises(Problem, match=r"a\.jsonl, line 2: no line of outputs"):
        read_outputs(tmp_path)


def test_a_folder_without_outputs_is_a_problem(tmp_path: Path):
    with pytest.raises(Problem, match="no hypotheses"):
        read_outputs(tmp_path)
