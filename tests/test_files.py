import json
import os
from pathlib import Path

import pytest

from pipeline import files
from pipeline.files import (
    canonical_json,
    digest,
    empty_folder,
    read_json,
    read_manifest,
    write_bytes,
    write_json,
    write_manifest,
    write_text,
    writing,
)
from pipeline.problems import Problem
from pipeline.records import Ledger


def test_the_same_value_is_the_same_text_and_digest():
    one = canonical_json({"b": [1, Path("x/y")], "a": {"z", "y"}, "ä": 0.5})
    assert one == '{"a":["y","z"],"b":[1,"x/y"],"ä":0.5}'
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": 2})
    assert json.loads(canonical_json(Ledger("clean", "c", 3, 3)))["kept"] == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()])
def test_what_has_no_json_is_refused(value):
    with pytest.raises((ValueError, TypeError)):
        canonical_json({"value": value})


def test_text_is_written_with_lf_whatever_the_locale(tmp_path):
    write_text(tmp_path / "new" / "a.txt", "ä\r\nb\n")
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"\xc3\xa4\r\nb\n"


def test_a_failed_write_leaves_the_former_file_and_nothing_beside_it(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    with pytest.raises(RuntimeError, match="half way"), writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError("half way")
    assert read_json(path) == {"a": 1}
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_is_a_problem_with_a_remedy(tmp_path):
    full = OSError(28, "No space left on device")
    with pytest.raises(Problem, match="cannot write: No space left") as caught:  # noqa: SIM117
        with writing(tmp_path / "a"):
            raise full
    assert caught.value.where == str(tmp_path / "a")
    assert "free space" in caught.value.remedy


def test_a_place_that_is_no_folder_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(Problem, match="cannot write"):
        write_bytes(tmp_path / "file" / "below" / "a", b"")


@pytest.mark.parametrize("content", [b'{"a": 1', b"\xff\xfe"])
def test_broken_json_names_the_file(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(Problem, match="broken JSON") as caught:
        read_json(path)
    assert caught.value.where == str(path)


def test_missing_json_names_the_file(tmp_path):
    with pytest.raises(Problem, match="file not found"):
        read_json(tmp_path / "none.json")


@pytest.fixture
def folder(tmp_path):
    write_text(tmp_path / "f" / "a.txt", "one")
    write_text(tmp_path / "f" / "below" / "b.txt", "two")
    write_manifest(tmp_path / "f", rows=2)
    return tmp_path / "f"


def test_a_manifest_lists_every_file_and_its_facts(folder):
    manifest = read_manifest(folder)
    assert manifest["rows"] == 2
    assert {name: fact["bytes"] for name, fact in manifest["files"].items()} == {
        "a.txt": 3,
        "below/b.txt": 3,
    }


def cut(path):
    path.write_text("tw")


def alter(path):
    path.write_text("tow")


@pytest.mark.parametrize(
    ("harm", "message"),
    [(Path.unlink, "is missing"), (cut, "expected 3 bytes"), (alter, "its checksum differs")],
)
def test_a_file_that_is_missing_cut_or_altered_is_a_problem(folder, harm, message):
    harm(folder / "below" / "b.txt")
    with pytest.raises(Problem, match=message) as caught:
        read_manifest(folder)
    assert caught.value.where == str(folder / "below" / "b.txt")
    assert "dvc checkout -f" in caught.value.remedy


def test_without_verification_a_file_is_there_and_whole(folder):
    alter(folder / "below" / "b.txt")
    assert read_manifest(folder, verify=False)["rows"] == 2
    cut(folder / "below" / "b.txt")
    with pytest.raises(Problem, match="expected 3 bytes"):
        read_manifest(folder, verify=False)


@pytest.mark.parametrize(
    "content",
    ["[]", "null", "{}", '{"files": 1}', '{"files": {"a.txt": 1}}', '{"files": {"a.txt": {}}}',
     '{"files": {}}', '{"files": {}, "rows": "2"}'],
)  # fmt: skip
def test_a_manifest_that_was_altered_is_a_problem(folder, content):
    (folder / files.MANIFEST).write_text(content)
    with pytest.raises(Problem, match="no valid manifest") as caught:
        read_manifest(folder, facts={"rows": int})
    assert caught.value.where == str(folder / files.MANIFEST)


def test_what_is_listed_reaches_the_disk_before_its_manifest(folder, monkeypatch):
    flushed = []
    real = os.fsync

    def fsync(handle):
        flushed.append(Path(f"/proc/self/fd/{handle}").readlink().name)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    write_manifest(folder, rows=2)
    assert flushed[:2] == ["a.txt", "b.txt"]
    assert flushed[2].startswith(".manifest.json")


def test_a_folder_without_a_manifest_is_not_complete(folder):
    (folder / files.MANIFEST).unlink()
    with pytest.raises(Problem, match="it has no manifest"):
        read_manifest(folder)


def test_an_empty_folder_is_empty(folder):
    assert list(empty_folder(folder).iterdir()) == []
    assert list(empty_folder(folder / "new" / "one").iterdir()) == []
