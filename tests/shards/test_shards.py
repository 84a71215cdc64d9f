import json
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest

from pipeline.problems import Problem
from pipeline.shards.read import ids, open_shards
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards


def examples(count):
    return [(f"c:{i}", [i, i + 1, 3][-(i % 3) - 1 :], [7] * (i % 4)) for i in range(count)]


def batches(rows, cut):
    for first in range(0, len(rows), cut):
        columns = zip(*rows[first : first + cut], strict=True)
        arrays = [pa.array(c, f.type) for c, f in zip(columns, EXAMPLES, strict=True)]
        yield pa.record_batch(arrays, schema=EXAMPLES)


def write(folder, rows, cut=5, shard_rows=8, block_rows=4):
    write_shards(
        folder,
        batches(rows, cut),
        shard_rows=shard_rows,
        block_rows=block_rows,
        pieces_digest="abc",
    )
    return folder


def test_examples_come_back_by_block_in_their_order(tmp_path):
    rows = examples(22)
    shards = open_shards(write(tmp_path / "s", rows))
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == [
        "00000.arrow", "00001.arrow", "00002.arrow", "blocks.arrow", "lengths.arrow",
        "manifest.json",
    ]  # fmt: skip
    assert (shards.rows, shards.pieces_digest) == (22, "abc")
    assert shards.blocks.tolist() == [4, 4, 4, 4, 4, 2]
    found = [row for i in range(6) for row in shards.block(i).to_pylist()]
    assert [(r["id"], r["source"], r["target"]) for r in found] == rows
    assert shards.block(0).num_rows == 4  # back to an earlier shard


def test_lengths_and_manifest_say_what_the_blocks_hold(tmp_path):
    rows = examples(22)
    shards = open_shards(write(tmp_path / "s", rows))
    source, target = shards.lengths()
    assert source.dtype == target.dtype == np.int32
    assert source.tolist() == [len(row[1]) for row in rows]
    assert target.tolist() == [len(row[2]) for row in rows]
    some = [side.tolist() for side in shards.lengths([5, 1])]
    assert some == [[*side[20:], *side[4:8]] for side in (source.tolist(), target.tolist())]
    ends = [4, 8, 12, 16, 20]
    for sums, side in zip(shards.sums(), (source, target), strict=True):
        assert sums.dtype == np.int64
        assert sums.tolist() == [part.sum() for part in np.split(side, ends)]
    facts = {name: shards.manifest[name] for name in ("rows", "shards", "longest", "pieces")}
    assert facts == {
        "rows": 22,
        "shards": [8, 8, 6],
        "longest": {"source": 3, "target": 3},
        "pieces": {"source": int(source.sum()), "target": int(target.sum())},
    }
    assert shards.manifest["schema"] == [
        "id: string", "source: list<item: int32>", "target: list<item: int32>",
    ]  # fmt: skip


@pytest.mark.parametrize(("side", "number"), [("source", 21), ("target", 7)])
def test_an_id_beyond_its_vocabulary_is_a_problem_that_names_the_example(tmp_path, side, number):
    shards = open_shards(write(tmp_path / "s", examples(22)))
    vocabularies = {"source": 22, "target": 8}
    shards.check_ids(*vocabularies.values())
    vocabularies[side] = number
    with pytest.raises(Problem, match=f"a {side} id is beyond the vocabulary") as caught:
        shards.check_ids(*vocabularies.values())
    first = {"source": ("00002.arrow", "21 in example c:20"), "target": ("00000.arrow", "7 in")}
    name, value = first[side]
    assert caught.value.where == str(tmp_path / "s" / name)
    assert caught.value.value.startswith(value)


def test_a_negative_id_is_beyond_it_too(tmp_path):
    shards = open_shards(write(tmp_path / "s", [("c:0", [5, 3], [4]), ("c:1", [3], [4, -2])]))
    with pytest.raises(Problem) as caught:
        shards.check_ids(10, 10)
    assert caught.value.value == "-2 in example c:1"


def test_ids_are_views_of_the_file(tmp_path):
    shards = open_shards(write(tmp_path / "s", examples(8)))
    before = pa.total_allocated_bytes()
    values, offsets = ids(shards.block(1), "source")
    assert pa.total_allocated_bytes() == before
    assert not values.flags.owndata and not values.flags.writeable
    assert [values[a:b].tolist() for a, b in pairwise(offsets)] == [
        row[1] for row in examples(8)[4:]
    ]


@pytest.mark.parametrize("cut", [1, 3, 22])
def test_the_bytes_do_not_tell_how_the_examples_arrived(tmp_path, cut):
    one, other = write(tmp_path / "a", examples(22)), write(tmp_path / "b", examples(22), cut)
    for path in one.iterdir():
        assert path.read_bytes() == (other / path.name).read_bytes()
    assert open_shards(one).digest == open_shards(other).digest


def test_no_examples_are_a_folder_with_no_shard(tmp_path):
    shards = open_shards(write(tmp_path / "s", []))
    assert (shards.rows, len(shards.blocks)) == (0, 0)
    assert [side.tolist() for side in (*shards.lengths(), *shards.sums())] == [[]] * 4


@pytest.mark.parametrize("name", ["00001.arrow", "blocks.arrow", "lengths.arrow"])
@pytest.mark.parametrize("verify", [True, False])
def test_a_cut_shard_is_a_problem_that_names_it(tmp_path, name, verify):
    folder = write(tmp_path / "s", examples(22))
    path = folder / name
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(Problem, match="cut or altered") as caught:
        open_shards(folder, verify=verify)
    assert caught.value.where == str(path)
    assert "dvc checkout" in caught.value.remedy


def test_an_altered_byte_is_found(tmp_path):
    folder = write(tmp_path / "s", examples(22))
    content = bytearray((folder / "00000.arrow").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "00000.arrow").write_bytes(content)
    with pytest.raises(Problem, match="its checksum differs"):
        open_shards(folder)


def test_a_missing_shard_is_named(tmp_path):
    folder = write(tmp_path / "s", examples(22))
    (folder / "00002.arrow").unlink()
    with pytest.raises(Problem) as caught:
        open_shards(folder)
    assert caught.value.where == str(folder / "00002.arrow")


def test_a_folder_without_a_manifest_does_not_exist(tmp_path):
    folder = write(tmp_path / "s", examples(22))
    (folder / "manifest.json").unlink()
    with pytest.raises(Problem, match="no manifest"):
        open_shards(folder)


def test_a_shard_that_is_garbage_of_the_right_length_is_a_problem_when_read(tmp_path):
    folder = write(tmp_path / "s", examples(22))
    path = folder / "00000.arrow"
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(Problem, match="cut or altered"):
        open_shards(folder, verify=False).block(0)


@pytest.mark.parametrize("other", [18, 30])
def test_tables_of_other_examples_are_a_problem_when_read(tmp_path, other):
    folder = write(tmp_path / "s", examples(22))
    for name in ("blocks.arrow", "lengths.arrow"):
        (write(tmp_path / "other", examples(other)) / name).replace(folder / name)
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in ("blocks.arrow", "lengths.arrow"):
        manifest["files"][name]["bytes"] = (folder / name).stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    shards = open_shards(folder, verify=False)
    for read in (shards.lengths, shards.sums):
        with pytest.raises(Problem, match="cut or altered"):
            read()


def test_a_failed_write_leaves_no_manifest(tmp_path):
    def broken():
        yield from batches(examples(6), 3)
        raise RuntimeError("lost")

    folder = tmp_path / "s"
    with pytest.raises(RuntimeError, match="lost"):
        write_shards(folder, broken(), shard_rows=8, block_rows=4, pieces_digest="")
    assert not (folder / "manifest.json").exists()


def test_what_fails_while_examples_are_made_is_not_taken_for_the_disk(tmp_path):
    def broken():
        yield from batches(examples(6), 3)
        raise ConnectionResetError("a worker went away")

    with pytest.raises(ConnectionResetError, match="a worker went away"):
        write_shards(tmp_path / "s", broken(), shard_rows=8, block_rows=4, pieces_digest="")


def test_a_disk_that_refuses_is_a_problem(tmp_path, monkeypatch):
    def full(path, schema):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pa.ipc, "new_file", full)
    with pytest.raises(Problem, match="cannot write: No space left on device") as caught:
        write(tmp_path / "s", examples(6))
    assert caught.value.where == str(tmp_path / "s")


@pytest.mark.parametrize("facts", [{"rows": 5}, {"shards": ["8"]}, {"shards": 22}, {"rows": None}])
def test_an_altered_manifest_is_a_problem(tmp_path, facts):
    path = write(tmp_path / "s", examples(22)) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    with pytest.raises(Problem) as caught:
        open_shards(tmp_path / "s")
    assert caught.value.where == str(path)
