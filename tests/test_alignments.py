"""Alignments come back from their files as they were."""

import pytest

from pipeline.alignments import Alignment, read_alignments, write_alignments
from pipeline.problems import Problem

ONE = Alignment("t:0", ("Ein", " Hund", ""), ("犬", ""), ((0.9, 0.1, 0.0), (0.0, 0.25, 0.75)))


def test_what_was_written_is_read(tmp_path):
    write_alignments(tmp_path / "t.jsonl", [ONE, ONE])
    write_alignments(tmp_path / "u.jsonl", [])
    assert read_alignments(tmp_path) == {"t": [ONE, ONE], "u": []}
    assert (tmp_path / "t.jsonl").read_text(encoding="utf-8").splitlines()[0] == (
        '{"id":"t:0","source":["Ein"," Hund",""],"target":["犬",""],'
        '"weights":[[0.9,0.1,0.0],[0.0,0.25,0.75]]}'
    )


def test_outs_of_before_have_none(tmp_path):
    assert read_alignments(tmp_path / "alignments") == {}


@pytest.mark.parametrize("line", ["{", '{"id": "t:0"}', "[]"])
def test_a_line_that_is_none_is_a_problem(tmp_path, line):
    (tmp_path / "t.jsonl").write_text(line + "\n")
    with pytest.raises(Problem, match="no line of alignments") as caught:
        read_alignments(tmp_path)
    assert caught.value.where == f"{tmp_path / 't.jsonl'}, line 1"
    assert caught.value.remedy == "restore it: dvc checkout -f decode"
