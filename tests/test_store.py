"""The store, on a real server that speaks S3: what it keeps, and what it says when it does not."""

import hashlib

import pytest

import pipeline.store as store_of
from pipeline.files import write_manifest
from pipeline.problems import Problem
from pipeline.store import AwayError, MissingError, Store, complete, get_folder, put_folder

pytestmark = pytest.mark.system
ADDRESS = "s3://tests/a/b"


def test_objects_are_read_whole_and_by_range_listed_and_removed(bucket, tmp_path):
    store = Store(ADDRESS)
    store.check()
    assert store.listed() == {}
    store.write("one/x", b"0123456789")
    (tmp_path / "file").write_bytes(b"ab" * 1000)
    store.upload(tmp_path / "file", "one/y")
    assert store.read("one/x") == b"0123456789"
    assert store.read("one/x", 2, 3) == b"234"
    assert store.read("one/x", 7) == b"789"
    assert {name: found.bytes for name, found in store.listed().items()} == {
        "one/x": 10, "one/y": 2000,
    }  # fmt: skip
    assert list(store.below("one").listed()) == ["x", "y"]
    store.download("one/y", tmp_path / "deep" / "back")
    assert (tmp_path / "deep" / "back").read_bytes() == b"ab" * 1000
    store.delete("one/x")
    store.delete("one/x")
    assert list(store.listed("one")) == ["one/y"]
    with pytest.raises(MissingError, match="s3://tests/a/b/one/x: not in the store"):
        store.read("one/x")


def test_a_store_that_is_away_is_told_from_one_that_refuses_and_no_key_is_told(bucket):
    store = Store(ADDRESS)
    store.write("x", b"1")
    with pytest.raises(Problem, match="the store refuses") as refused:
        Store("s3://elsewhere").write("x", b"1")
    assert not refused.value.retry
    bucket.kill()
    with pytest.raises(AwayError, match="the store does not answer") as away:
        store.read("x")
    assert away.value.retry
    for problem in (refused.value, away.value):
        assert bucket.environment["AWS_SECRET_ACCESS_KEY"] not in str(problem)
        assert bucket.environment["AWS_ACCESS_KEY_ID"] not in str(problem)
    bucket.start()
    store.write("x", b"2")
    assert store.read("x") == b"2"


def test_a_store_that_is_mute_is_away_too(bucket, monkeypatch):
    monkeypatch.setattr(store_of, "ATTEMPTS", 1)  # each takes seconds
    store = Store(ADDRESS)
    store.write("x", b"1")
    bucket.pause()
    with pytest.raises(AwayError):
        store.read("x")
    bucket.resume()
    assert store.read("x") == b"1"


def test_whoever_waits_for_a_store_has_its_answer(monkeypatch):
    answers = iter([AwayError("away"), AwayError("away"), 7])
    monkeypatch.setattr(store_of, "PAUSE", 0.0)

    def call():
        answer = next(answers)
        if isinstance(answer, AwayError):
            raise answer
        return answer

    assert store_of.patiently(call) == 7
    monkeypatch.setattr(store_of, "PATIENCE", -1.0)
    answers = iter([AwayError("away")])
    with pytest.raises(AwayError):
        store_of.patiently(call)


def folder_of(path):
    (path / "in").mkdir(parents=True)
    (path / "x").write_bytes(b"x" * 100)
    (path / "in" / "y").write_bytes(b"y")
    write_manifest(path)
    return path


def test_a_folder_is_there_when_its_manifest_is_and_comes_back_the_same(bucket, tmp_path):
    store, folder = Store(ADDRESS), folder_of(tmp_path / "folder")
    store.write("half/x", b"x")
    put_folder(store.below("whole"), folder)
    assert complete(store.listed()) == {"whole"}
    get_folder(store.below("whole"), tmp_path / "back")
    assert files(tmp_path / "back") == files(folder)


def test_what_comes_back_altered_has_no_manifest(bucket, tmp_path, monkeypatch):
    store, folder, original = Store(ADDRESS), folder_of(tmp_path / "folder"), Store.upload

    def upload(self, path, name):
        original(self, path, name)
        if name == "x":
            self.write(name, b"X" + b"x" * 99)

    monkeypatch.setattr(Store, "upload", upload)
    with pytest.raises(AwayError, match="comes back altered"):
        put_folder(store, folder)
    assert complete(store.listed()) == set()


def files(folder):
    return {
        path.relative_to(folder): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }
