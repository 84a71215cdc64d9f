import pytest

from pipeline.problems import Problem
from pipeline.records import Row
from pipeline.rows import (
    FILE_ROWS,
    GROUP_ROWS,
    ROWS,
    RowWriter,
    count_rows,
    read_rows,
    row_batch,
    to_rows,
)


def row(i):
    refs = (f"target {i}", "another\tone \r") if i % 2 else (f"target {i}",)
    return Row(f"c:{i}", "c", "test", f"g{i}", f"source {i}", f"target {i}", refs, "de", "en")


def test_the_columns_are_the_fields_of_a_row():
    assert ROWS.names == [
        "id", "corpus", "split", "group", "source", "target", "references",
        "source_language", "target_language",
    ]  # fmt: skip


def test_rows_come_back_as_they_were_written(tmp_path):
    rows = [row(i) for i in range(5)]
    with RowWriter(tmp_path / "rows") as writer:
        writer.write(row_batch(rows[:2]))
        writer.write(row_batch(rows[2:]))
    assert [r for batch in read_rows(tmp_path / "rows") for r in to_rows(batch)] == rows
    assert count_rows(tmp_path / "rows") == 5


def test_the_bytes_do_not_tell_how_the_rows_arrived(tmp_path):
    rows = [row(i) for i in range(GROUP_ROWS + 100)]
    for name, cut in (("one", len(rows)), ("many", 997)):
        with RowWriter(tmp_path / name) as writer:
            for first in range(0, len(rows), cut):
                writer.write(row_batch(rows[first : first + cut]))
    names = [path.name for path in sorted((tmp_path / "one").iterdir())]
    assert names == ["00000.parquet", "manifest.json"]
    one, many = ((tmp_path / n / "00000.parquet").read_bytes() for n in ("one", "many"))
    assert one == many


def test_a_full_file_is_followed_by_the_next(tmp_path):
    batch = row_batch([row(i) for i in range(GROUP_ROWS)])
    with RowWriter(tmp_path / "rows") as writer:
        for _ in range(FILE_ROWS // GROUP_ROWS):
            writer.write(batch)
        writer.write(batch.slice(0, 3))
    assert [p.name for p in sorted((tmp_path / "rows").iterdir())] == [
        "00000.parquet",
        "00001.parquet",
        "manifest.json",
    ]
    assert count_rows(tmp_path / "rows") == FILE_ROWS + 3


def test_some_columns_only(tmp_path):
    with RowWriter(tmp_path / "rows") as writer:
        writer.write(row_batch([row(1)]))
    (batch,) = read_rows(tmp_path / "rows", ["source", "target"])
    assert batch.schema.names == ["source", "target"]


def test_a_folder_that_is_not_there_is_a_problem(tmp_path):
    with pytest.raises(Problem, match="no such folder of rows"):
        list(read_rows(tmp_path / "none"))


@pytest.fixture
def path(tmp_path):
    """The file of a folder of a hundred rows."""
    with RowWriter(tmp_path / "rows") as writer:
        writer.write(row_batch([row(i) for i in range(100)]))
    return tmp_path / "rows" / "00000.parquet"


@pytest.mark.parametrize("read", [lambda folder: list(read_rows(folder)), count_rows])
def test_a_file_cut_in_half_is_a_problem_that_names_it(path, read):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(Problem, match="cut or altered") as caught:
        read(path.parent)
    assert caught.value.where == str(path)


def test_a_file_of_garbage_is_a_problem_that_names_it(path):
    path.write_bytes(b"\0" * path.stat().st_size)
    with pytest.raises(Problem, match="no valid Parquet file") as caught:
        list(read_rows(path.parent))
    assert caught.value.where == str(path)


@pytest.mark.parametrize("read", [lambda folder: list(read_rows(folder)), count_rows])
def test_a_folder_without_a_manifest_does_not_exist(path, read):
    (path.parent / "manifest.json").unlink()
    with pytest.raises(Problem, match="it has no manifest") as caught:
        read(path.parent)
    assert caught.value.where == str(path.parent)


def test_a_failed_write_leaves_no_manifest_and_nothing_of_former_rows(path):
    def fail():
        with RowWriter(path.parent) as writer:
            writer.write(row_batch([row(1)]))
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        fail()
    assert list(path.parent.iterdir()) == []
