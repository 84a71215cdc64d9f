"""What is told to who gives no pairs, or no ensemble."""

from pathlib import Path

import pytest

from flows.commands.score import score
from flows.inuse import lines
from pipeline.problems import Problem


@pytest.mark.parametrize("bad", ["no tab", "two\ttabs\there", ""])
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, bad: str) -> None:
    file = tmp_path / "pairs.tsv"
    file.write_text(f"ein Hund\ta dog\n{bad}\nKatze\tcat\n")
    with pytest.raises(Problem, match="expected a source, a tab and a target") as problem:
        score(str(file), [])
    assert problem.value.where == f"{file}, line 2"
    assert problem.value.value == bad


def test_lines_are_utf8_and_the_last_end_makes_none(tmp_path: Path) -> None:
    file = tmp_path / "letters.txt"
    file.write_bytes("Grüße\n\nKatze\n".encode())
    assert lines(str(file)) == ["Grüße", "", "Katze"]
    file.write_bytes(b"Hund\nK\xff\n")
    with pytest.raises(Problem, match="not UTF-8") as problem:
        lines(str(file))
    assert problem.value.where == f"{file}, line 2"
