"""`seqline predict`: one line out for each line in, by the champion, else by the challenger."""

import io
import sys
from pathlib import Path

import pytest

from flows.commands.predict import predict
from flows.commands.promote import promote
from flows.commands.register import register
from pipeline.problems import Problem


@pytest.fixture
def registered(workspace, give_code):
    """Two versions that answer; neither is champion."""
    for name in ("one", "two"):
        folder = workspace(name)
        give_code(folder / "artifacts", f"seqline_{name}")
        register()
    return folder


def feed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_without_a_champion_the_challenger_answers_and_says_so(registered, capsys):
    predict("Satz 7 von vielen", None, [])
    said = capsys.readouterr()
    assert said.out == "Sentence 7 of many\n"
    assert said.err == "challenger: version 2 of tiny\n"
    promote("1", "", False)
    capsys.readouterr()
    predict("Satz 7 von vielen", None, [])
    assert capsys.readouterr().err == "champion: version 1 of tiny\n"


def test_lines_come_from_standard_input_or_a_file(registered, capsys, monkeypatch):
    content = "Satz 1 …\nSatz 2".encode()
    feed(monkeypatch, content)
    predict(None, None, [])
    (registered / "letters.txt").write_bytes(content)
    predict(None, "letters.txt", [])
    assert capsys.readouterr().out == "Sentence 1 of many\nSentence 2 of many\n" * 2
    feed(monkeypatch, b"")
    predict(None, None, [])
    assert capsys.readouterr().out == ""


def test_what_is_not_utf8_or_not_there_is_a_problem_with_its_place(registered, monkeypatch):
    feed(monkeypatch, b"Satz 1\n\xff\n")
    with pytest.raises(Problem, match="standard input, line 2: not UTF-8"):
        predict(None, None, [])
    with pytest.raises(Problem, match=r"nothing\.txt: cannot read: No such file"):
        predict(None, "nothing.txt", [])
    with pytest.raises(Problem, match="not both"):
        predict("Satz", "letters.txt", [])


def test_without_any_version_there_is_nobody_to_ask(workspace, tmp_path: Path):
    workspace("one")
    with pytest.raises(Problem, match="no version is registered"):
        predict("Satz 1", None, [])
