"""Folders: complete or not there, whatever ends the process that writes them."""

import shutil

import pytest

from pipeline.problems import Problem
from pipeline.training.folders import move, remove, sweep, written


class KilledError(BaseException):
    """What no `except` of ours may catch, and after which no `finally` removes anything."""


@pytest.fixture
def killed(monkeypatch):
    """Files that go are the moment of the kill: none goes, and nothing runs after."""

    def rmtree(path, **options):
        raise KilledError

    monkeypatch.setattr(shutil, "rmtree", rmtree)


def filled(folder, content):
    with written(folder) as beside:
        (beside / "a").write_text(content)
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_takes_the_place_of_what_was_there(tmp_path):
    filled(tmp_path / "place", "old")
    assert (filled(tmp_path / "place", "new") / "a").read_text() == "new"
    assert names(tmp_path) == ["place"]


def test_what_was_there_stays_where_writing_fails(tmp_path):
    filled(tmp_path / "place", "old")
    with pytest.raises(Problem, match="no space"), written(tmp_path / "place") as beside:
        (beside / "a").write_text("new")
        raise OSError(28, "no space")
    assert (tmp_path / "place" / "a").read_text() == "old"
    assert names(tmp_path) == ["place"]


def test_a_folder_that_goes_has_lost_its_name_before_its_files(tmp_path, killed):
    folder = filled_by_hand(tmp_path / "place")
    with pytest.raises(KilledError):
        remove(folder)
    assert names(tmp_path) != ["place"]
    assert all(name.startswith(".") for name in names(tmp_path))


def filled_by_hand(folder):
    folder.mkdir()
    (folder / "a").write_text("1")
    return folder


def test_what_a_kill_leaves_is_swept_and_nothing_else(tmp_path):
    for name in (".00000010.77.tmp", ".finished.77.gone.tmp", "00000010", "torn-00000020"):
        filled_by_hand(tmp_path / name)
    (tmp_path / ".record.json.77.tmp").write_text("{")
    sweep(tmp_path)
    assert names(tmp_path) == ["00000010", "torn-00000020"]
    sweep(tmp_path / "absent")


def test_a_folder_that_is_moved_replaces_what_had_the_name(tmp_path):
    filled_by_hand(tmp_path / "torn-1")
    moved = move(filled(tmp_path / "1", "later"), "torn-1")
    assert (moved / "a").read_text() == "later"
    assert names(tmp_path) == ["torn-1"]


def test_nothing_is_no_folder_to_remove(tmp_path):
    remove(tmp_path / "absent")
