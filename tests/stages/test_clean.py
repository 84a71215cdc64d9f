import json
import re

import pytest

from pipeline.cleaning import repeats
from pipeline.problems import Problem
from pipeline.rows import GROUP_ROWS

LONG = "Ein sehr langer Satz mit vielen Wörtern. " * 3


def dirty(dataline):
    """Good pairs with one pair, or several, for every rule among them."""
    good = dataline.sentences(20)
    test = dataline.sentences(1, 2000)[0]
    return [
        *good,
        ("  \u200b", "Nothing here."),
        (LONG, LONG.upper()),
        ("Ja.", "Yes, and then she told me all about it."),
        ("Copyright 2004", " Copyright\t2004 "),
        ("Привет, как дела?", "Hello, how are you?"),
        (good[3][0].replace(" ", "  "), good[3][1]),
        good[3],
        (test[0] + " ", "Another translation."),
    ]


def test_every_rule_gives_its_reason_and_the_first_one_counts(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", dirty(dataline))
    out = dataline.run(tmp_path, corpora, ["ingest", "clean"])
    (ledger,) = json.loads((out / "ledgers/clean.json").read_text(encoding="utf-8"))["ledgers"]
    assert ledger == {
        "stage": "clean",
        "corpus": "train",
        "rows_in": 28,
        "kept": 20,
        "joined": 0,
        "dropped": {
            "empty": 1, "too_long": 1, "length_ratio": 1, "same": 1,
            "odd_script": 1, "duplicate": 2, "leak": 1,
        },
        "changed": {},
        "samples": {
            "empty": ["train:21\t  \u200b\tNothing here."],
            "too_long": [f"train:22\t{LONG}\t{LONG.upper()}"],
            "length_ratio": ["train:23\tJa.\tYes, and then she told me all about it."],
            "same": ["train:24\tCopyright 2004\t Copyright\t2004 "],
            "odd_script": ["train:25\tПривет, как дела?\tHello, how are you?"],
            "duplicate": [
                "train:26\tDer  Bär  Nummer  3  läuft.\tThe bear number 3 runs.",
                "train:27\tDer Bär Nummer 3 läuft.\tThe bear number 3 runs.",
            ],
            "leak": ["train:28\tDer Hund Nummer 2000 singt. \tAnother translation."],
        },
    }  # fmt: skip
    kept = dataline.rows(out / "clean" / "train")
    assert kept == dataline.rows(out / "rows" / "train")[:20]
    assert sorted(p.name for p in out.iterdir()) == ["clean", "ledgers", "rows"]
    assert list((tmp_path / "state" / "scratch").iterdir()) == []


def test_any_number_of_processes_writes_the_same_bytes(dataline, tmp_path, monkeypatch):
    monkeypatch.setattr(repeats, "PART_ROWS", 20_000)
    monkeypatch.setattr("pipeline.spread.FEW", 0)
    many = dataline.sentences(2 * GROUP_ROWS)
    many[20_000:20_200] = many[100:300]
    corpora = dataline.corpus(tmp_path / "corpora", many)
    found = []
    for processes in (1, 2):
        folder, machine = tmp_path / str(processes), {"data_processes": processes}
        out = dataline.run(folder, corpora, ["ingest", "clean"], machine)
        found.append({p.name: p.read_bytes() for p in sorted((out / "clean/train").iterdir())})
    (ledger,) = json.loads((out / "ledgers/clean.json").read_text(encoding="utf-8"))["ledgers"]
    assert ledger["dropped"] == {"duplicate": 200, "leak": 20}
    kept = [row.id for row in dataline.rows(out / "clean" / "train")]
    assert kept[99] == "train:100" and "train:20001" not in kept
    assert found[0] == found[1]


def test_a_limit_stops_the_stage(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", dirty(dataline))
    rules = dataline.PARAMS["cleaning"]["rules"]
    cleaning = {"rules": rules, "limits": {"duplicate": 0.05}}
    message = re.escape("rule 'duplicate' drops 2 of 28 rows of corpus 'train'")
    with pytest.raises(Problem, match=message):
        dataline.run(tmp_path, corpora, ["ingest", "clean"], cleaning=cleaning)


def test_a_corpus_of_which_nothing_is_left_is_a_problem(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", [("gleich", "gleich"), ("", "leer")])
    with pytest.raises(Problem, match="cleaning leaves no training row") as caught:
        dataline.run(tmp_path, corpora, ["ingest", "clean"])
    assert caught.value.value == {"train": {"same": 1, "empty": 1}}


def test_without_rules_every_row_stays(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", dirty(dataline))
    out = dataline.run(tmp_path, corpora, ["ingest", "clean"], cleaning={"rules": []})
    assert dataline.rows(out / "clean" / "train") == dataline.rows(out / "rows" / "train")


def test_a_full_disk_is_a_problem(dataline, tmp_path, monkeypatch):
    def full(self, entries, files):
        raise OSError(28, "No space left on device")

    corpora = dataline.corpus(tmp_path / "corpora")
    monkeypatch.setattr(repeats.Verdicts, "_part", full)
    with pytest.raises(Problem, match="cannot write: No space left on device") as caught:
        dataline.run(tmp_path, corpora, ["ingest", "clean"])
    assert caught.value.where == str(tmp_path / "state" / "scratch" / "clean")


def test_what_fails_while_rows_are_judged_is_not_taken_for_the_disk(
    dataline, tmp_path, monkeypatch
):
    def judged(*args, **kwargs):
        raise ConnectionResetError("a worker went away")
        yield

    corpora = dataline.corpus(tmp_path / "corpora")
    monkeypatch.setattr("pipeline.stages.clean.spread", judged)
    with pytest.raises(ConnectionResetError, match="a worker went away"):
        dataline.run(tmp_path, corpora, ["ingest", "clean"])


def test_a_corpus_of_which_too_much_went_leaves_no_rows(dataline, tmp_path):
    corpora = dataline.corpus(tmp_path / "corpora", [("gleich", "gleich")])
    with pytest.raises(Problem, match="leaves no training row"):
        dataline.run(tmp_path, corpora, ["ingest", "clean"])
    assert not (tmp_path / "artifacts" / "clean" / "train" / "manifest.json").exists()
