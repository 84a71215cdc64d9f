import pytest

from pipeline.corpora.tsv import Tsv
from pipeline.problems import Problem
from pipeline.rows import to_rows

FACTS = {"name": "t", "source_language": "de", "target_language": "en", "role": "train"}


def read(tmp_path, text, **fields):
    (tmp_path / "t.tsv").write_bytes(text.encode())
    corpus = Tsv(**FACTS, file="t.tsv", **fields)
    return [row for batch in corpus.batches(tmp_path) for row in to_rows(batch)]


def facts(rows):
    return [(row.id, row.source, row.target, row.references, row.group) for row in rows]


def test_columns_are_counted_from_one_and_others_are_left_alone(tmp_path):
    assert facts(read(tmp_path, 'Geh.\tGo.\tCC-BY\n"Ja\tYes " \t\n')) == [
        ("t:1", "Geh.", "Go.", ("Go.",), "t:1"),
        ("t:2", '"Ja', 'Yes " ', ('Yes " ',), "t:2"),
    ]


def test_a_header_names_columns_and_ids_count_rows(tmp_path):
    text = "doc\ten\tde\ten2\nd1\tGo.\tGeh.\tLeave.\nd1\tYes.\tJa.\tYeah.\n"
    columns = {"source": "de", "target": "en", "references": ("en2",), "group": "doc"}
    assert facts(read(tmp_path, text, header=True, **columns)) == [
        ("t:1", "Geh.", "Go.", ("Go.", "Leave."), "d1"),
        ("t:2", "Ja.", "Yes.", ("Yes.", "Yeah."), "d1"),
    ]


def test_an_empty_cell_is_no_group(tmp_path):
    rows = read(tmp_path, "Geh.\tGo.\t\nJa.\tYes.\td1\n", group=3)
    assert [row.group for row in rows] == ["t:1", "d1"]


def test_a_line_with_too_few_columns_is_named(tmp_path):
    with pytest.raises(Problem, match="at least 2 columns between tabs, found 1") as caught:
        read(tmp_path, "Geh.\tGo.\nJa. Yes.\n")
    assert caught.value.where == f"{tmp_path / 't.tsv'}, line 2"
    assert caught.value.value == "Ja. Yes."


def test_a_line_number_counts_the_header(tmp_path):
    with pytest.raises(Problem) as caught:
        read(tmp_path, "de\ten\nGeh.\tGo.\nJa.\n", header=True, source="de", target="en")
    assert caught.value.where == f"{tmp_path / 't.tsv'}, line 3"


def test_a_column_that_the_header_lacks_comes_with_the_nearest_name(tmp_path):
    with pytest.raises(Problem, match="no such column") as caught:
        read(tmp_path, "german\tenglish\na\tb\n", header=True, source="germann", target="english")
    assert caught.value.remedy == "did you mean 'german'?"


def test_a_name_without_a_header_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="a column by name needs a header"):
        read(tmp_path, "Geh.\tGo.\n", source="de")
