"""Rows in bulk: the Arrow form of `records.Row`, and the Parquet files that hold them.

A folder of rows is `00000.parquet`, `00001.parquet`, …: zstd, 131,072 rows a file, 16,384 a row
group, however the rows arrived; and a manifest, written last, without which it does not exist. The
same rows are the same bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.arrow import RecordBatch
from pipeline.files import RESTORE, disk, empty_folder, read_manifest, write_manifest
from pipeline.problems import Problem
from pipeline.records import Row

ROWS = pa.schema(
    [
        (field.name, pa.list_(pa.string()) if field.name == "references" else pa.string())
        for field in fields(Row)
    ]
)
GROUP_ROWS = 16_384
FILE_ROWS = 8 * GROUP_ROWS
# Few different values: a dictionary pays. In text it only costs time.
_REPEATED: Any = ["corpus", "split", "source_language", "target_language"]


def row_batch(rows: Sequence[Row]) -> RecordBatch:
    """A few rows as one record batch of schema `ROWS`."""
    columns = [[getattr(row, name) for row in rows] for name in ROWS.names]
    return pa.record_batch(
        [pa.array(c, field.type) for c, field in zip(columns, ROWS, strict=True)], schema=ROWS
    )


def to_rows(batch: RecordBatch) -> list[Row]:
    """The rows of a batch as records."""
    values: list[dict[str, Any]] = batch.to_pylist()
    for value in values:
        value["references"] = tuple(value["references"])
    return [Row(**value) for value in values]


def _manifest(folder: Path) -> dict[str, Any]:
    """A folder's manifest: none of its files is missing or cut, or it is a Problem."""
    if not folder.is_dir():
        raise Problem("no such folder of rows", where=str(folder), remedy="make it: seqline run")
    return read_manifest(folder, verify=False, facts={"rows": int})


def read_rows(folder: Path, columns: list[str] | None = None) -> Iterator[RecordBatch]:
    """The rows of a folder in order, one row group at a time, all columns or some."""
    for path in [folder / name for name in sorted(_manifest(folder)["files"])]:
        try:
            # A buffer of its own size: memory does not depend on the length of the file.
            with pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20) as file:
                for index in range(file.num_row_groups):
                    yield from (
                        file.read_row_group(index, columns=columns, use_threads=False)
                        .combine_chunks()
                        .to_batches()
                    )
        except (pa.ArrowException, OSError) as error:
            raise Problem(
                f"no valid Parquet file: {error}",
                where=str(path),
                remedy=RESTORE,
            ) from None


def count_rows(folder: Path) -> int:
    """How many rows a folder holds, as its manifest says."""
    return _manifest(folder)["rows"]


class RowWriter:
    """Writes batches of rows as the files of one folder. A context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows = 0  # that it was given
        self._written = 0
        self._waiting: list[RecordBatch] = []
        self._waiting_rows = 0
        self._file: pq.ParquetWriter | None = None

    def write(self, batch: RecordBatch) -> None:
        """Add rows; they reach the disk when a row group is full."""
        self.rows += batch.num_rows
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        while self._waiting_rows >= GROUP_ROWS:
            self._write_group(GROUP_ROWS)

    def _write_group(self, rows: int) -> None:
        table = pa.Table.from_batches(self._waiting, ROWS)
        rest = table.slice(rows)
        self._waiting, self._waiting_rows = rest.to_batches(), rest.num_rows
        # One chunk: page ends follow chunks, and bytes must not tell how the rows arrived.
        group = table.slice(0, rows).combine_chunks()
        with disk(self.folder):
            self._open_file().write_table(group, row_group_size=rows)
        pa.default_memory_pool().release_unused()  # else the allocator's leftovers add up
        self._written += rows

    def _open_file(self) -> pq.ParquetWriter:
        if self._file is not None and self._written % FILE_ROWS == 0:
            self._file.close()
            self._file = None
        if self._file is None:
            path = self.folder / f"{self._written // FILE_ROWS:05d}.parquet"
            self._file = pq.ParquetWriter(
                path,
                ROWS,
                compression="zstd",
                compression_level=1,
                use_dictionary=_REPEATED,
                write_statistics=False,
            )
        return self._file

    def __enter__(self) -> Self:
        """Make the folder, empty."""
        empty_folder(self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Write what waits, close, and the manifest last; after an error only close."""
        if kind is None and self._waiting_rows:
            self._write_group(self._waiting_rows)
        with disk(self.folder):
            if self._file is not None:
                self._file.close()
        if kind is None:
            assert self._written == self.rows, (self._written, self.rows)
            write_manifest(self.folder, rows=self._written)
