"""Identity: the same params and data give the same bytes, wherever and whenever they are made.

Here the stages that make no use of torch, called as the graph calls them; `tests/system` holds
whole runs to it, by their dvc.lock.
"""

import os
import time

import pytest


@pytest.fixture
def elsewhere(monkeypatch):
    """Another time zone, language, host name and umask."""
    for name, value in {"TZ": "Pacific/Chatham", "LANG": "tr_TR", "HOSTNAME": "elsewhere"}.items():
        monkeypatch.setenv(name, value)
    time.tzset()
    before = os.umask(0o077)
    yield
    os.umask(before)
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def line(dataline, tmp_path, monkeypatch):
    """Run the stages in a folder under `tmp_path`; every file and its bytes."""

    def run(place, **machine):
        folder = tmp_path / place
        folder.mkdir(parents=True)
        monkeypatch.chdir(folder)
        corpora = dataline.corpus(folder / "corpora", dataline.sentences(60)) | {
            "folder": "corpora"
        }
        out = dataline.run(folder, corpora, machine={"data_processes": 1, **machine})
        files = (path for path in out.rglob("*") if path.is_file())
        return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}

    return run


def test_another_folder_and_time_give_the_same_bytes(line):
    assert line("here") == line("some/where/deeper")


def test_another_locale_time_zone_and_umask_give_the_same_bytes(line, request):
    first = line("here")
    request.getfixturevalue("elsewhere")
    assert line("there") == first


def test_another_machine_setting_gives_the_same_bytes(line):
    assert line("one") == line("two", data_processes=2)
