import pytest

from pipeline.corpora.jsonl import Jsonl
from pipeline.problems import Problem
from pipeline.rows import to_rows

FACTS = {"name": "j", "source_language": "en", "target_language": "en", "role": "test"}


def read(tmp_path, text, **fields):
    (tmp_path / "j.jsonl").write_bytes(text.encode())
    corpus = Jsonl(**FACTS, file="j.jsonl", **fields)
    return [row for batch in corpus.batches(tmp_path) for row in to_rows(batch)]


def test_several_references_stand_beside_the_target(tmp_path):
    text = (
        '{"source": "a b", "target": "x\\ty \\r", "refs": ["z", ""], "doc": 7, "size": 1}\n'
        '{"doc": "eight", "refs": "w", "target": "ü", "source": "\\u00e4\\ud83d\\ude00"}\n'
    )
    first, second = read(tmp_path, text, references="refs", group="doc")
    assert (first.source, first.target, first.references, first.group) == (
        "a b", "x\ty \r", ("x\ty \r", "z", ""), "7",
    )  # fmt: skip
    assert (second.id, second.source, second.references, second.group) == (
        "j:2", "ä😀", ("ü", "w"), "eight",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("{'source': 1}", "no JSON at column 2"),
        ('{"source": "a", "target": "b"', "no JSON at column"),
        ('["a", "b"]', "expected a JSON object"),
        ('{"source": "a"}', "no key 'target'"),
        ('{"source": "a", "target": null}', "'target' is no string"),
        ('{"source": "a", "target": 5}', "'target' is no string"),
        ('{"source": "\\ud800", "target": "b"}', "'source' is no valid text"),
        ("", "no JSON at column 1"),
        ("[" * 100_000, "no JSON that can be read"),
        ('{"source": "a", "target": "b", "n": ' + "9" * 5_000 + "}", "no JSON that can be read"),
        ('{"source": "a", "target": "b\\udc00"}', "'target' is no valid text"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, line, what):
    good = '{"source": "a", "target": "b"}\n'
    with pytest.raises(Problem, match=what) as caught:
        read(tmp_path, good + line + "\n")
    assert caught.value.where == f"{tmp_path / 'j.jsonl'}, line 2"


def test_a_row_without_a_group_is_its_own(tmp_path):
    line = '{{"source": "a", "target": "b", "doc": {}}}\n'
    rows = read(tmp_path, "".join(map(line.format, ["null", '""', "0", "1.5"])), group="doc")
    assert [row.group for row in rows] == ["j:1", "j:2", "0", "1.5"]


@pytest.mark.parametrize("group", ["true", "[1]", '{"a": 1}'])
def test_a_group_that_is_no_name_is_malformed(tmp_path, group):
    line = f'{{"source": "a", "target": "b", "doc": {group}}}\n'
    with pytest.raises(Problem, match="'doc' is no string or number"):
        read(tmp_path, line, group="doc")


def test_half_a_surrogate_pair_in_a_key_that_nobody_reads_is_left_alone(tmp_path):
    (row,) = read(tmp_path, '{"source": "a", "target": "b", "note": "\\ud800"}\n')
    assert (row.source, row.target) == ("a", "b")


def test_half_a_surrogate_pair_in_a_further_reference_is_malformed(tmp_path):
    line = '{"source": "a", "target": "b", "refs": ["c", "\\ud800"]}\n'
    with pytest.raises(Problem, match="'refs' is no valid text"):
        read(tmp_path, line, references="refs")


def test_references_that_are_no_strings_are_malformed(tmp_path):
    line = '{"source": "a", "target": "b", "refs": ["c", 4]}\n'
    with pytest.raises(Problem, match="'refs' is no list of strings"):
        read(tmp_path, line, references="refs")


def test_a_misspelt_key_comes_with_the_nearest_one(tmp_path):
    with pytest.raises(Problem) as caught:
        read(tmp_path, '{"sources": "a", "target": "b"}\n')
    assert caught.value.remedy == "did you mean 'sources'?"
