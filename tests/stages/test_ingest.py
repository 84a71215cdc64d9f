import json

import pytest

from pipeline.problems import Problem


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_rows_and_a_ledger_and_nothing_else_come_out(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), ["ingest"])
    assert files(out) == [
        "ledgers/ingest.json",
        "rows/test/00000.parquet",
        "rows/test/manifest.json",
        "rows/train/00000.parquet",
        "rows/train/manifest.json",
        "rows/valid/00000.parquet",
        "rows/valid/manifest.json",
    ]
    (first, *_) = dataline.rows(out / "rows" / "test")
    assert (first.id, first.corpus, first.split) == ("test:1", "test", "test")
    assert json.loads((out / "ledgers/ingest.json").read_text(encoding="utf-8"))["ledgers"][0] == {
        "stage": "ingest", "corpus": "train", "rows_in": 200, "kept": 200,
        "dropped": {}, "changed": {}, "samples": {}, "joined": 0,
    }  # fmt: skip


def test_references_are_the_bytes_of_the_raw_file(dataline, tmp_path):
    raw = "A dog.\r\n two  spaces \t\nLine\u2028separator\x0b\x85\x1c\n\u00a0\ufeff e\u0301\n\n"
    corpora = dataline.corpus(tmp_path / "corpora")
    (tmp_path / "corpora" / "test.en").write_bytes(raw.encode())
    (tmp_path / "corpora" / "test.de").write_bytes(b"x\n" * raw.count("\n"))
    out = dataline.run(tmp_path, corpora, ["ingest"])
    references = [row.references for row in dataline.rows(out / "rows" / "test")]
    assert "".join(only + "\n" for (only,) in references).encode() == raw.encode()
    ledgers = json.loads((out / "ledgers/ingest.json").read_text(encoding="utf-8"))["ledgers"]
    assert [ledger["changed"] for ledger in ledgers] == [{}, {}, {"target_ends_with_cr": 1}]


def test_one_corpus_may_be_split_by_the_hash_of_its_groups(dataline, tmp_path):
    corpora = dataline.write_corpus(tmp_path / "corpora", {"all": dataline.sentences(300)})
    del corpora["sources"][0]["role"]
    corpora["sources"][0]["split"] = {"valid": 0.1, "test": 0.1}
    out = dataline.run(tmp_path, corpora, ["ingest"])
    counts = {split: len(dataline.rows(out / "rows" / split)) for split in dataline.ROLES}
    assert sum(counts.values()) == 300
    assert all(15 <= counts[split] <= 45 for split in ("valid", "test"))


def test_an_empty_corpus_is_a_problem_that_names_it(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", train=[])
    with pytest.raises(Problem, match="corpus 'train' is empty") as caught:
        dataline.run(tmp_path, corpora, ["ingest"])
    assert str(tmp_path / "corpora" / "train.de") in caught.value.where


@pytest.mark.parametrize("split", ["train", "valid", "test"])
def test_a_split_without_rows_is_a_problem(dataline, tmp_path, split):
    corpora = dataline.corpus(tmp_path / "corpora")
    corpora["sources"] = [source for source in corpora["sources"] if source["role"] != split]
    with pytest.raises(Problem, match=f"no corpus has rows for '{split}'"):
        dataline.run(tmp_path, corpora, ["ingest"])
    assert list(tmp_path.rglob("manifest.json")) == []


def test_a_missing_file_is_found_before_former_rows_go(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora")
    out = dataline.run(tmp_path, corpora, ["ingest"])
    (tmp_path / "corpora" / "valid.en").unlink()
    with pytest.raises(Problem, match="file not found") as caught:
        dataline.run(tmp_path, corpora, ["ingest"])
    assert caught.value.where == str(tmp_path / "corpora" / "valid.en")
    assert len(dataline.rows(out / "rows" / "train")) == 200


def test_former_rows_are_replaced(dataline, tmp_path):
    dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), ["ingest"])
    fewer = dataline.corpus(tmp_path / "corpora", dataline.sentences(3))
    out = dataline.run(tmp_path, fewer, ["ingest"])
    assert len(dataline.rows(out / "rows" / "train")) == 3


def words(dataline, folder, rows):
    """A test of words with several pronunciations, beside the usual train and valid."""
    corpora = dataline.corpus(folder)
    (folder / "words.tsv").write_text("".join(f"{word}\t{phones}\n" for word, phones in rows))
    test = {"name": "words", "format": "tsv", "role": "test", "file": "words.tsv"}
    corpora["sources"][2] = test | dataline.LANGUAGES | {"join_references": True}
    return corpora


def test_rows_of_one_source_become_one_row_with_all_their_references(dataline, tmp_path):
    given = [("ABS", "AE B Z"), ("ADD", "AE D"), ("ABS", "EY B"), ("ABS", "AE B Z"), ("ABS", "AH")]
    out = dataline.run(tmp_path, words(dataline, tmp_path / "corpora", given), ["ingest"])
    rows = dataline.rows(out / "rows" / "test")
    assert [(row.id, row.source, row.target, row.references) for row in rows] == [
        ("words:1", "ABS", "AE B Z", ("AE B Z", "EY B", "AH")),
        ("words:2", "ADD", "AE D", ("AE D",)),
    ]
    ledger = json.loads((out / "ledgers/ingest.json").read_text(encoding="utf-8"))["ledgers"][2]
    counts = {key: ledger[key] for key in ("rows_in", "kept", "joined", "dropped")}
    assert counts == {"rows_in": 5, "kept": 2, "joined": 2, "dropped": {"repeated_reference": 1}}


def test_rows_of_train_are_not_joined_where_a_corpus_is_split(dataline, tmp_path):
    pairs = [(f"Satz {number // 3}", f"sentence {number}") for number in range(300)]
    corpora = dataline.write_corpus(tmp_path / "corpora", {"all": pairs})
    source = corpora["sources"][0]
    del source["role"]
    source |= {"split": {"valid": 0.2, "test": 0.2}, "join_references": True}
    out = dataline.run(tmp_path, corpora, ["ingest"])
    rows = {split: dataline.rows(out / "rows" / split) for split in dataline.ROLES}
    assert {len(row.references) for row in rows["train"]} == {1}
    for split in ("valid", "test"):
        assert {len(row.references) for row in rows[split]} == {3}
        assert [row.references[0] for row in rows[split]] == [row.target for row in rows[split]]
    (ledger,) = json.loads((out / "ledgers/ingest.json").read_text())["ledgers"]
    items = len(rows["valid"]) + len(rows["test"])
    assert ledger["kept"] == len(rows["train"]) + items
    assert (ledger["rows_in"], ledger["joined"]) == (300, 2 * items)


def test_a_corpus_of_train_has_nothing_to_join(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora")
    corpora["sources"][0]["join_references"] = True
    with pytest.raises(Problem, match="role train has no row to join"):
        dataline.run(tmp_path, corpora, ["ingest"])
