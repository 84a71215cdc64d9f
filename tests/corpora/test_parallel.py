import pytest

from pipeline.corpora import lines
from pipeline.corpora.parallel import Parallel
from pipeline.problems import Problem
from pipeline.records import Row
from pipeline.rows import to_rows

FACTS = {"name": "news", "source_language": "de", "target_language": "en"}
FILES = {"source": "a.de", "target": "a.en"}


def read(corpus, folder):
    return [row for batch in corpus.batches(folder) for row in to_rows(batch)]


def test_line_n_of_one_file_goes_with_line_n_of_the_other(tmp_path):
    (tmp_path / "a.de").write_bytes(b"eins\nzwei \r\n")
    (tmp_path / "a.en").write_bytes(b"one\ttab\ntwo\n")
    corpus = Parallel(**FACTS, **FILES, role="test")
    assert read(corpus, tmp_path) == [
        Row("news:1", "news", "test", "news:1", "eins", "one\ttab", ("one\ttab",), "de", "en"),
        Row("news:2", "news", "test", "news:2", "zwei \r", "two", ("two",), "de", "en"),
    ]
    assert corpus.files(tmp_path) == (tmp_path / "a.de", tmp_path / "a.en")


def test_further_references_and_groups_are_files_of_their_own(tmp_path):
    for name, text in {
        "a.de": "eins\nzwei\n",
        "a.en": "one\ntwo\n",
        "b.en": "1\n2\n",
        "docs": "d1\nd1\n",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    corpus = Parallel(**FACTS, **FILES, role="test", references=("b.en",), group="docs")
    assert [(row.group, row.references) for row in read(corpus, tmp_path)] == [
        ("d1", ("one", "1")),
        ("d1", ("two", "2")),
    ]


@pytest.mark.parametrize("chunk", [10, 1 << 20])
def test_files_of_unequal_length_are_a_problem_with_both_counts(tmp_path, monkeypatch, chunk):
    monkeypatch.setattr(lines, "CHUNK_BYTES", chunk)
    (tmp_path / "a.de").write_text("zeile\n" * 30, encoding="utf-8")
    (tmp_path / "a.en").write_text("line\n" * 27, encoding="utf-8")
    with pytest.raises(Problem, match="different numbers of lines") as caught:
        read(Parallel(**FACTS, **FILES, role="train"), tmp_path)
    assert caught.value.where == f"{tmp_path / 'a.en'}, line 28"
    assert caught.value.value == "a.de: 30, a.en: 27"


def test_reading_in_small_pieces_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / "a.de").write_text("".join(f"{'z' * (i % 5)}{i}\n" for i in range(60)))
    (tmp_path / "a.en").write_text("".join(f"{i}{'l' * (i % 7)}\n" for i in range(60)))
    corpus = Parallel(**FACTS, **FILES, role="train")
    whole = read(corpus, tmp_path)
    monkeypatch.setattr(lines, "CHUNK_BYTES", 16)
    assert read(corpus, tmp_path) == whole
    assert [row.id for row in whole] == [f"news:{i}" for i in range(1, 61)]


def test_an_empty_group_is_none(tmp_path):
    (tmp_path / "a.de").write_text("eins\nzwei\ndrei\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\nthree\n", encoding="utf-8")
    (tmp_path / "docs").write_text("d1\n\n\n", encoding="utf-8")
    corpus = Parallel(**FACTS, **FILES, role="test", group="docs")
    assert [row.group for row in read(corpus, tmp_path)] == ["d1", "news:2", "news:3"]


def test_without_groups_equal_sources_stay_together_and_keep_their_side(tmp_path):
    def splits(numbers):
        (tmp_path / "a.de").write_text("".join(f"Satz {n}\n" * 2 for n in numbers))
        (tmp_path / "a.en").write_text("".join(f"{n}, once\n{n}, twice\n" for n in numbers))
        corpus = Parallel(**FACTS, **FILES, split={"valid": 0.2, "test": 0.2})
        rows = read(corpus, tmp_path)
        assert [row.id for row in rows] == [f"news:{i}" for i in range(1, len(rows) + 1)]
        found = {}
        for row in rows:
            found.setdefault(row.source, set()).add((row.group, row.split))
        assert all(len(sides) == 1 for sides in found.values())
        assert len({row.group for row in rows}) == len(numbers)
        return found

    few, more = splits(range(100)), splits([*range(-50, 0), *reversed(range(200))])
    assert few.items() <= more.items()
    counts = [sum(split in str(sides) for sides in more.values()) for split in ("valid", "test")]
    assert all(35 <= count <= 65 for count in counts)  # shares of 250: 50


def test_a_group_is_never_torn_apart_and_keeps_its_side_when_others_come(tmp_path):
    def splits(documents):
        (tmp_path / "a.de").write_text("x\n" * 3 * len(documents), encoding="utf-8")
        (tmp_path / "a.en").write_text("y\n" * 3 * len(documents), encoding="utf-8")
        (tmp_path / "docs").write_text("".join(f"{d}\n" * 3 for d in documents), encoding="utf-8")
        shares = {"valid": 0.2, "test": 0.2}
        found = {}
        for row in read(Parallel(**FACTS, **FILES, group="docs", split=shares), tmp_path):
            found.setdefault(row.group, set()).add(row.split)
        assert all(len(sides) == 1 for sides in found.values())
        return {group: sides.pop() for group, sides in found.items()}

    few = splits([f"doc{i}" for i in range(100)])
    more = splits([f"doc{i}" for i in range(-50, 200)])
    assert few.items() <= more.items()
    counts = [list(more.values()).count(split) for split in ("train", "valid", "test")]
    assert counts == [146, 60, 44]  # shares 0.6, 0.2, 0.2; the draw never changes
