"""Leak: no test or valid sentence, normalised, is in train."""

import pytest

from pipeline.normalise import Normaliser
from pipeline.shards.read import open_shards

UPTO = ["ingest", "clean"]


def disguised(pairs):
    """The same sentences with other spaces, marks and invisible characters."""
    spell = [
        lambda text: text,
        lambda text: f" {text}\u00a0",
        lambda text: text.replace(" ", "\t "),
        lambda text: "\ufeff" + text.replace("ä", "a\u0308"),
        lambda text: text.replace("e", "e\u200b"),
    ]
    return [(spell[i % 5](source), f"Translation {i}.") for i, (source, _) in enumerate(pairs)]


def sources(rows, normaliser):
    return {normaliser.text(row.source) for row in rows}


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_no_held_out_source_is_in_train_in_any_disguise(dataline, tmp_path, form):
    normaliser = {"form": form, "whitespace": "collapse", "control": "remove"}
    held_out = [*dataline.sentences(10, 1000), *dataline.sentences(10, 2000)]
    corpora = dataline.corpus(tmp_path / "c", [*dataline.sentences(30), *disguised(held_out)])
    out = dataline.run(tmp_path, corpora, UPTO, normaliser=normaliser)
    norm = Normaliser(**normaliser)
    train = sources(dataline.rows(out / "clean" / "train"), norm)
    assert len(train) == 30
    for split in ("valid", "test"):
        assert not train & sources(dataline.rows(out / "rows" / split), norm)


def test_no_held_out_target_is_in_train_where_either_side_counts(dataline, tmp_path):
    held_out = dataline.sentences(10, 2000)
    swapped = [(f"Quelle Nummer {i}.", f" {target}") for i, (_, target) in enumerate(held_out)]
    corpora = dataline.corpus(tmp_path / "c", [*dataline.sentences(30), *swapped])
    rules = {"rules": [{"kind": "leak", "leak_key": "either"}]}
    out = dataline.run(tmp_path, corpora, UPTO, cleaning=rules)
    targets = {row.target.strip() for row in dataline.rows(out / "clean" / "train")}
    assert targets == {target for _, target in dataline.sentences(30)}


def test_test_and_valid_rows_are_never_cleaned(dataline, tmp_path):
    twice = dataline.sentences(3, 2000) * 2
    pairs = {"train": dataline.sentences(30), "valid": [("", ""), ("x", "x")], "test": twice}
    corpora = dataline.write_corpus(tmp_path / "c", pairs)
    out = dataline.run(tmp_path, corpora)
    assert [row.source for row in dataline.rows(out / "rows" / "test")] == [s for s, _ in twice]
    assert [open_shards(out / "shards" / split).rows for split in ("valid", "test")] == [2, 6]
