import json

import pytest

from pipeline.pieces.pieces import Pieces
from pipeline.problems import Problem
from pipeline.shards.read import ids, open_shards


def ledgers(out):
    found = json.loads((out / "ledgers/encode.json").read_text(encoding="utf-8"))["ledgers"]
    return {ledger["corpus"]: ledger for ledger in found}


def test_shards_and_a_ledger_come_out(dataline, tmp_path):
    out = dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"))
    for split in dataline.ROLES:
        assert sorted(p.name for p in (out / "shards" / split).iterdir()) == [
            "00000.arrow",
            "blocks.arrow",
            "lengths.arrow",
            "manifest.json",
        ]
    pieces, shards = Pieces.read(out / "pieces"), open_shards(out / "shards" / "test")
    assert shards.pieces_digest == pieces.digest
    assert shards.target_languages == ("en",)
    block = shards.block(0)
    rows = dataline.rows(out / "rows" / "test")
    assert block["id"].to_pylist() == [row.id for row in rows]
    values, offsets = ids(block, "target")
    assert pieces.decode([values[offsets[3] : offsets[4]]]) == [rows[3].target]


def test_over_long_rows_are_counted_and_nothing_is_lost_outside_train(dataline, tmp_path):
    long = ("Der " + "lange " * 60 + "Satz.", "The long sentence.")
    pairs = {"train": [*dataline.sentences(50), long]}
    pairs |= {"valid": dataline.sentences(5, 100), "test": [*dataline.sentences(5, 200), long]}
    corpora = dataline.write_corpus(tmp_path / "corpora", pairs)
    kinds = {"kind": "unigram", "vocabulary": 300, "threads": 1}
    cleaning = {"rules": []}
    out = dataline.run(tmp_path, corpora, pieces=kinds, cleaning=cleaning)
    assert ledgers(out) == {
        "train": {
            "stage": "encode", "corpus": "train", "rows_in": 51, "kept": 50, "joined": 0,
            "dropped": {"source_too_long": 1}, "changed": {},
            "samples": {"source_too_long": [f"train:51\t{long[0][:300]}\t{long[1]}"]},
        },
        "valid": {
            "stage": "encode", "corpus": "valid", "rows_in": 5, "kept": 5, "joined": 0,
            "dropped": {}, "changed": {}, "samples": {},
        },
        "test": {
            "stage": "encode", "corpus": "test", "rows_in": 6, "kept": 6, "joined": 0,
            "dropped": {}, "changed": {"source_cut": 1}, "samples": {},
        },
    }  # fmt: skip
    shards = open_shards(out / "shards" / "test")
    assert shards.rows == 6
    assert shards.lengths()[0][5] == 60


def test_bounds_that_leave_nothing_are_a_problem(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora")
    encoding = {"max_source_pieces": 2, "max_target_pieces": 2}
    with pytest.raises(Problem, match=r"no row of .* is left") as caught:
        dataline.run(tmp_path, corpora, encoding=encoding)
    assert caught.value.where == "params.yaml, encoding"


REGULARISED = {"subword_regularisation": {"kind": "n_best", "variants": 2, "alpha": 0.2}}


def test_variants_of_the_training_examples_lie_beside_them(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora")
    bounds = {"max_source_pieces": 30, "max_target_pieces": 30}
    out = dataline.run(tmp_path, corpora, encoding=bounds | REGULARISED)
    pieces = Pieces.read(out / "pieces")
    best = open_shards(out / "shards" / "train")
    variants = [open_shards(out / "shards" / "train-variants" / n) for n in ("1", "2")]
    blocks = [one.block(0) for one in (best, *variants)]
    assert blocks[0]["id"] == blocks[1]["id"] == blocks[2]["id"]
    texts = [pieces.decode(block["target"].to_pylist()) for block in blocks]
    assert texts[0] == texts[1] == texts[2]
    sources = [block["source"].to_pylist() for block in blocks]
    assert sources[0] != sources[1] != sources[2]
    assert max(shards.longest[0] for shards in variants) <= 30
    dataline.run(tmp_path, corpora, ["encode"], encoding=bounds)
    assert sorted(path.name for path in (out / "shards").iterdir()) == ["test", "train", "valid"]


def test_a_sampler_that_does_not_fit_the_pieces_is_a_problem_before_anything_is_written(
    dataline, tmp_path
):
    sampler = {"subword_regularisation": {"kind": "bpe_dropout"}}
    with pytest.raises(Problem, match="unigram pieces have no merges") as caught:
        dataline.run(tmp_path, dataline.corpus(tmp_path / "corpora"), encoding=sampler)
    assert caught.value.where == "params.yaml, encoding.subword_regularisation.kind"
    assert not (tmp_path / "artifacts" / "shards").exists()


@pytest.mark.parametrize(
    ("encoding", "message"),
    [
        ({"shard_rows": 1000, "block_rows": 64}, "multiple of block_rows"),
        ({"max_source_pieces": 1}, "greater than or equal to 2"),
        ({"max_pieces": 5}, "unknown parameter"),
    ],
)
def test_impossible_bounds_are_problems(dataline, tmp_path, encoding, message):
    with pytest.raises(Problem, match=message):
        dataline.run(tmp_path, {}, ["encode"], encoding=encoding)


def test_any_number_of_processes_writes_the_same_bytes(dataline, tmp_path, monkeypatch):
    monkeypatch.setattr("pipeline.spread.FEW", 0)
    corpora = dataline.corpus(tmp_path / "corpora")
    digests = []
    for processes in (1, 2):
        folder, machine = tmp_path / str(processes), {"data_processes": processes}
        out = dataline.run(folder, corpora, machine=machine, encoding=REGULARISED)
        parts = [*dataline.ROLES, "train-variants/1", "train-variants/2"]
        digests.append([open_shards(out / "shards" / part).digest for part in parts])
    assert digests[0] == digests[1]
