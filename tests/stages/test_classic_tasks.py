"""The recipes of classic tasks read their real corpora: counts as published, references joined."""

import os
from pathlib import Path

import pytest

from pipeline.corpora.selection import Corpora
from pipeline.machine import Machine
from pipeline.settings import parse, read_yaml
from pipeline.stages import ingest

pytestmark = pytest.mark.data

# Recipe: folder, rows of train and valid together (valid may be cut from train) and of test.
COUNTS = {
    "cmudict-g2p": ("cmudict", 108_132 + 5_447, 11_994),
    "scan-simple": ("scan", 16_728, 4_182),
    "scan-jump": ("scan", 14_670, 7_706),
    "scan-length": ("scan", 16_990, 3_920),
    "sigmorphon-fr": ("sigmorphon2020-g2p", 4_050, 450),
    "sigmorphon-ko": ("sigmorphon2020-g2p", 4_050, 450),
    "sigmorphon-bg": ("sigmorphon2020-g2p", 4_050, 450),
}


def ingested(dataline, root, folder, recipe):
    """Rows by split of a recipe whose corpora lie where the tests' data are."""
    section = read_yaml(root / "recipes" / f"{recipe}.yaml")["corpora"]
    section["folder"] = str(Path(os.environ["SEQLINE_DATA"]) / COUNTS[recipe][0])
    settings = ingest.Settings(corpora=parse(Corpora, section, recipe))
    ingest.run(settings, Machine(state=folder / "state"), folder, folder)
    return {split: dataline.rows(folder / "rows" / split) for split in dataline.ROLES}


@pytest.mark.parametrize("recipe", COUNTS)
def test_every_row_is_read(dataline, root, tmp_path, recipe):
    rows = ingested(dataline, root, tmp_path, recipe)
    _, learned, tested = COUNTS[recipe]
    assert (len(rows["train"]) + len(rows["valid"]), len(rows["test"])) == (learned, tested)
    assert len(rows["valid"]) >= 450
    assert all(row.source and row.target for row in rows["test"])


def test_a_word_of_cmudict_has_all_its_pronunciations(dataline, root, tmp_path):
    rows = {row.source: row for row in ingested(dataline, root, tmp_path, "cmudict-g2p")["test"]}
    assert rows["ABS"].references == ("AE B Z", "EY B IY EH S")
    assert sum(len(row.references) for row in rows.values()) == 12_828  # of 12,855, 27 repeated


def test_what_is_seen_alone_in_scan_is_seen_in_train(dataline, root, tmp_path):
    rows = ingested(dataline, root, tmp_path, "scan-jump")
    assert sum(row.source == "jump" for row in rows["train"]) == 1_467
    assert not any("jump" in row.source for row in rows["valid"])
