"""Folders that hosts share: the same blocks as here, and only the ranges that are asked for."""

import numpy as np
import pytest

import pipeline.shared as shared_of
from pipeline.batches.collate import examples_of, with_variants
from pipeline.cache import Cache
from pipeline.problems import Problem
from pipeline.shards.read import open_shards
from pipeline.shared import Shared, put
from pipeline.store import Store

pytestmark = pytest.mark.system
INPUTS = Store("s3://tests/inputs")


@pytest.fixture
def ranges(monkeypatch):
    """What is read of the store: file, offset and length."""
    seen, original = [], Store.read

    def read(self, name, offset=0, length=None):
        seen.append((name, offset, length))
        return original(self, name, offset, length)

    monkeypatch.setattr(Store, "read", read)
    return seen


def test_shards_in_a_store_are_those_of_the_folder(bucket, engine, tmp_path):
    here = engine.write_examples(tmp_path / "train", variants=2)
    digests = [put(folder, INPUTS) for folder in with_variants(tmp_path / "train")]
    cache = Cache(tmp_path / "cache", 10**9)
    own, *variants = [open_shards(Shared(INPUTS, digest, cache)) for digest in digests]
    there = examples_of(own, variants)
    assert (there.count, there.digest) == (here.count, here.digest)
    rows = np.random.default_rng(1).permutation(3 * here.count)
    for ours, theirs in zip(there.ids(rows), here.ids(rows), strict=True):
        assert [ids.tolist() for ids in ours] == [ids.tolist() for ids in theirs]
    assert there.source_lengths.tolist() == here.source_lengths.tolist()
    assert own.sums()[1].tolist() == here.shards.sums()[1].tolist()
    assert own.names(rows[:5] % 60) == here.shards.names(rows[:5] % 60)


def test_a_block_is_one_range_which_no_other_process_of_the_host_reads_again(
    bucket, engine, tmp_path, ranges
):
    engine.write_examples(tmp_path / "train")
    digest, cache = put(tmp_path / "train", INPUTS), Cache(tmp_path / "cache", 10**9)
    shards = open_shards(Shared(INPUTS, digest, cache))
    ranges.clear()
    shards.block(7)
    assert [name for name, _, _ in ranges] == ["00001.arrow"]
    assert 0 < ranges[0][2] < (tmp_path / "train" / "00001.arrow").stat().st_size / 2
    ranges.clear()
    again = open_shards(Shared(INPUTS, digest, cache))
    assert again.block(7).equals(shards.block(7))
    again.fetch([7, 8])
    assert [name for name, _, _ in ranges] == ["00001.arrow"]


def test_the_same_content_is_put_there_once(bucket, engine, tmp_path, monkeypatch):
    engine.write_examples(tmp_path / "a")
    engine.write_examples(tmp_path / "b")
    engine.write_examples(tmp_path / "c", seed=2)
    digest = put(tmp_path / "a", INPUTS)
    with monkeypatch.context() as patch:
        patch.setattr(Store, "upload", lambda *arguments: pytest.fail("it was uploaded again"))
        assert put(tmp_path / "b", INPUTS) == digest
    assert put(tmp_path / "c", INPUTS) != digest


def test_a_folder_comes_back_the_same_whatever_is_in_it(bucket, tmp_path, monkeypatch):
    folder = tmp_path / "folder"
    (folder / "in").mkdir(parents=True)
    (folder / "empty").write_bytes(b"")
    (folder / "in" / "long").write_bytes(bytes(range(256)) * 10)
    monkeypatch.setattr(shared_of, "MOST", 1000)
    shared = Shared(INPUTS, put(folder, INPUTS), Cache(tmp_path / "cache", 10**9))
    shared.copy(tmp_path / "back")
    found = [
        {path.relative_to(place): path.read_bytes() for path in place.rglob("*") if path.is_file()}
        for place in (folder, tmp_path / "back")
    ]
    assert found[0] == found[1]


def test_an_object_that_was_altered_is_a_problem(bucket, engine, tmp_path):
    engine.write_examples(tmp_path / "train")
    digest = put(tmp_path / "train", INPUTS)
    name = f"{digest}/00000.arrow"
    content = bytearray(INPUTS.read(name))
    content[len(content) // 2] ^= 1
    INPUTS.write(name, bytes(content))
    shards = open_shards(Shared(INPUTS, digest, Cache(tmp_path / "cache", 10**9)))
    with pytest.raises(Problem, match="was altered"):
        for block in range(5):
            shards.block(block)
