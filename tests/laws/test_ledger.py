"""Ledger: in = kept + joined + dropped at every stage; sources and targets stay aligned."""

import json
from itertools import pairwise

import pytest

from pipeline.pieces.pieces import Pieces
from pipeline.shards.read import ids, open_shards
from pipeline.stages import clean, encode, ingest


def ledgers(out, stage):
    content = json.loads((out / "ledgers" / f"{stage}.json").read_text(encoding="utf-8"))
    return {ledger["corpus"]: ledger for ledger in content["ledgers"]}


def made(dataline, tmp_path):
    """The line over a corpus of which each rule drops a row. Itself asserts that none is lost."""
    train = dataline.sentences(60)
    train[7:9] = [("", "nothing"), ("Hallo", "Hallo")]
    train[20] = train[3]
    train[40] = ("狗" * 30, "Thirty times the Chinese word dog.")  # too many pieces
    corpora = dataline.corpus(tmp_path / "corpora", train)
    return dataline.run(tmp_path, corpora)


def test_every_row_is_kept_or_dropped_for_a_reason(dataline, tmp_path):
    out = made(dataline, tmp_path)
    ingest, clean, encode = (ledgers(out, stage) for stage in ("ingest", "clean", "encode"))
    for ledger in [*ingest.values(), *clean.values(), *encode.values()]:
        assert ledger["rows_in"] == ledger["kept"] + sum(ledger["dropped"].values())
    assert ingest["train"]["rows_in"] == 60
    assert clean["train"]["rows_in"] == ingest["train"]["kept"]
    assert encode["train"]["rows_in"] == clean["train"]["kept"]
    assert clean["train"]["dropped"] == {"empty": 1, "same": 1, "duplicate": 1, "odd_script": 1}
    for split in ("valid", "test"):
        assert encode[split]["kept"] == ingest[split]["kept"] == 10


def test_rows_that_are_joined_live_on_as_references(dataline, tmp_path):
    corpora = dataline.write_corpus(
        tmp_path / "corpora",
        {
            "train": dataline.sentences(60),
            "valid": dataline.sentences(10, 1000),
            "test": [("Hallo", "Hello"), ("Ja", "Yes"), ("Hallo", "Hi"), ("Hallo", "Hello")],
        },
    )
    for source in corpora["sources"][1:]:
        source["join_references"] = True
    out = dataline.run(tmp_path, corpora, ["ingest"])
    ledger, rows = ledgers(out, "ingest")["test"], dataline.rows(out / "rows" / "test")
    assert ledger["rows_in"] == ledger["kept"] + ledger["joined"] + sum(ledger["dropped"].values())
    assert (ledger["kept"], ledger["joined"]) == (2, 1)
    assert ledger["kept"] + ledger["joined"] == sum(len(row.references) for row in rows)
    assert ledger["kept"] == len(rows)


def test_the_ledgers_count_what_is_in_the_files(dataline, tmp_path):
    out = made(dataline, tmp_path)
    clean, encode = ledgers(out, "clean"), ledgers(out, "encode")
    assert len(dataline.rows(out / "rows" / "train")) == clean["train"]["rows_in"]
    assert len(dataline.rows(out / "clean" / "train")) == clean["train"]["kept"]
    for split in dataline.ROLES:
        assert open_shards(out / "shards" / split).rows == encode[split]["kept"]


def one_less(batches):
    return (batch.slice(0, batch.num_rows - 1) for batch in batches)


def lose_in_ingest(monkeypatch):
    monkeypatch.setattr(ingest, "SPLITS", ("train", "valid"))  # rows of the test go nowhere


def lose_in_clean(monkeypatch):
    kept = clean.kept
    monkeypatch.setattr(clean, "kept", lambda *args: one_less(kept(*args)))


def lose_in_encode(monkeypatch):
    encoded = encode._encoded
    monkeypatch.setattr(encode, "_encoded", lambda *args: one_less(encoded(*args)))


@pytest.mark.parametrize("lose", [lose_in_ingest, lose_in_clean, lose_in_encode])
def test_a_row_that_gets_lost_stops_the_stage(dataline, tmp_path, monkeypatch, lose):
    corpora = dataline.corpus(tmp_path / "corpora")
    lose(monkeypatch)
    with pytest.raises(AssertionError):
        dataline.run(tmp_path, corpora)


def test_source_and_target_of_every_example_are_of_one_row(dataline, tmp_path):
    out = made(dataline, tmp_path)
    pieces = Pieces.read(out / "pieces")
    for split in dataline.ROLES:
        folder = out / ("clean" if split == "train" else "rows") / split
        rows = {row.id: row for row in dataline.rows(folder)}
        shards = open_shards(out / "shards" / split)
        block = shards.block(0)
        sources, targets = (decoded(pieces, block, side) for side in ("source", "target"))
        expected = [
            (pieces.normaliser.text(rows[i].source), pieces.normaliser.text(rows[i].target))
            for i in block["id"].to_pylist()
        ]
        assert list(zip(sources, targets, strict=True)) == expected
        lengths = [each.tolist() for each in shards.lengths()]
        assert lengths[0] == [len(e) for e in block["source"].to_pylist()]
        assert lengths[1] == [len(e) for e in block["target"].to_pylist()]


def decoded(pieces, block, side):
    values, offsets = ids(block, side)
    each = [values[a:b] for a, b in pairwise(offsets)]
    return pieces.decode_source(each) if side == "source" else pieces.decode(each)
