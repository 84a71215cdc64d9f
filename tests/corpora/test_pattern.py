import pytest
from pydantic import ValidationError

from pipeline.corpora.pattern import Pattern
from pipeline.problems import Problem
from pipeline.rows import to_rows

FACTS = {"name": "t", "source_language": "en", "target_language": "en", "role": "train"}
SCAN = "IN: (?P<source>.*) OUT: (?P<target>.*)"


def read(tmp_path, text, pattern=SCAN, **fields):
    (tmp_path / "t.txt").write_bytes(text.encode())
    corpus = Pattern(**FACTS, file="t.txt", pattern=pattern, **fields)
    return [row for batch in corpus.batches(tmp_path) for row in to_rows(batch)]


def test_named_groups_are_the_parts_of_a_row(tmp_path):
    rows = read(tmp_path, "IN: walk twice OUT: I_WALK I_WALK\nIN: ä\u2028 OUT: \n")
    assert [(row.id, row.source, row.target, row.references) for row in rows] == [
        ("t:1", "walk twice", "I_WALK I_WALK", ("I_WALK I_WALK",)),
        ("t:2", "ä\u2028", "", ("",)),
    ]


def test_a_line_may_name_its_group(tmp_path):
    pattern = r"(?:\[(?P<group>\w+)\] )?(?P<target>\w+) <- (?P<source>\w+)"
    rows = read(tmp_path, "[d1] yes <- ja\nno <- nein\n", pattern)
    assert [(row.source, row.target, row.group) for row in rows] == [
        ("ja", "yes", "d1"),
        ("nein", "no", "t:2"),
    ]


@pytest.mark.parametrize("line", ["IN: walk", "xIN: a OUT: b", "in: a OUT: b", ""])
def test_a_line_that_is_not_as_the_pattern_says_is_named(tmp_path, line):
    with pytest.raises(Problem, match="malformed line: it is not as the pattern says") as caught:
        read(tmp_path, f"IN: a OUT: b\n{line}\n")
    assert caught.value.where == f"{tmp_path / 't.txt'}, line 2"
    assert caught.value.value == line


def test_an_alternative_is_of_the_whole_line(tmp_path):
    pattern = "(?P<source>a)(?P<target>b)|c"
    with pytest.raises(Problem, match="malformed line"):
        read(tmp_path, "abx\n", pattern)


def test_no_pattern_takes_long(tmp_path):
    """A searcher that goes back would need 2^60 steps."""
    rows = read(tmp_path, "a" * 60 + " b\n", "(?:(?P<source>(?:a|a|aa)*) (?P<target>b))")
    assert len(rows[0].source) == 60
    with pytest.raises(Problem, match="malformed line"):
        read(tmp_path, "a" * 60 + "\n", "(?:(?P<source>(?:a|a|aa)*) (?P<target>b))")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("IN: (?P<source>.*", "no pattern of RE2"),
        (r"(?P<source>.)(?P<target>.)(?=x)", "no pattern of RE2"),
        ("(?P<source>.*)", "are needed, each once"),
        ("(?P<source>.) (?P<target>.) (?P<targett>.)", "unknown group 'targett': did you mean"),
    ],
)
def test_a_pattern_that_cannot_be_is_refused(pattern, message):
    with pytest.raises(ValidationError, match=message.replace("(", r"\(").replace("?", r"\?")):
        Pattern(**FACTS, file="t.txt", pattern=pattern)
