"""Writing shards: however the batches were cut, the same examples become the same bytes."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from pipeline.arrow import RecordBatch, Schema
from pipeline.arrow import compute as pc
from pipeline.files import disk, empty_folder, write_manifest
from pipeline.shards.schema import (
    BLOCKS,
    BLOCKS_FILE,
    EXAMPLES,
    LENGTHS,
    LENGTHS_FILE,
    shard_name,
)


class _Writer:
    """The files of a folder while they are written, and what their manifest will say."""

    def __init__(self, folder: Path, shard_rows: int) -> None:
        self.folder, self.shard_rows = folder, shard_rows
        self.shards: list[int] = []  # rows of each
        self.sums = {"source": array("q"), "target": array("q")}  # of each block
        self.longest = {"source": 0, "target": 0}
        self._stack = ExitStack()
        self._lengths: Any = None
        self._shard: Any = None

    def __enter__(self) -> Self:
        """Open the lengths; shards are opened as they are needed."""
        with disk(self.folder):
            self._lengths = self._open(LENGTHS_FILE, LENGTHS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the files; where nothing failed, the sums are written first."""
        with disk(self.folder), self._stack:
            if kind is None:
                self._open(BLOCKS_FILE, BLOCKS).write_batch(self._blocks())

    def write(self, block: RecordBatch) -> None:
        """Add a block of the present shard, or the first of the next one."""
        columns = [pc.list_value_length(block[side]) for side in ("source", "target")]
        lengths = pa.record_batch(columns, schema=LENGTHS)
        with disk(self.folder):
            if not self.shards or self.shards[-1] == self.shard_rows:
                self._next_shard()
            self._shard.write_batch(block)
            self._lengths.write_batch(lengths)
        self._count(lengths)

    def _next_shard(self) -> None:
        if self._shard is not None:
            self._shard.close()
        self._shard = self._open(shard_name(len(self.shards)), EXAMPLES)
        self.shards.append(0)

    def _open(self, name: str, schema: Schema) -> Any:
        return self._stack.enter_context(pa.ipc.new_file(self.folder / name, schema))

    def _count(self, lengths: RecordBatch) -> None:
        self.shards[-1] += lengths.num_rows
        for side in ("source", "target"):
            self.sums[side].append(pc.sum(lengths[side]).as_py())
            self.longest[side] = max(self.longest[side], pc.max(lengths[side]).as_py())

    def _blocks(self) -> RecordBatch:
        sums = [pa.array(np.frombuffer(self.sums[column.name], np.int64)) for column in BLOCKS]
        return pa.record_batch(sums, schema=BLOCKS)


def write_shards(
    folder: Path,
    batches: Iterable[RecordBatch],
    *,
    shard_rows: int,
    block_rows: int,
    pieces_digest: str,
    target_languages: Sequence[str] = (),
) -> int:
    """Write batches of schema `EXAMPLES`, in order, and return how many examples there are.

    `shard_rows` is a multiple of `block_rows`; `target_languages` are those of the examples.
    """
    assert shard_rows % block_rows == 0, (shard_rows, block_rows)
    empty_folder(folder)
    with _Writer(folder, shard_rows) as written:
        for block in _blocks(batches, block_rows):
            written.write(block)
    write_manifest(
        folder,
        block_rows=block_rows,
        longest=written.longest,
        pieces={side: sum(sums) for side, sums in written.sums.items()},
        pieces_digest=pieces_digest,
        rows=sum(written.shards),
        schema=[f"{column.name}: {column.type}" for column in EXAMPLES],
        shards=written.shards,
        target_languages=list(target_languages),
    )
    return sum(written.shards)


def _blocks(batches: Iterable[RecordBatch], rows: int) -> Iterator[RecordBatch]:
    """The same examples in batches of `rows`, the last one shorter."""
    waiting: list[RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += batch.num_rows
        while count >= rows:
            table = pa.Table.from_batches(waiting, EXAMPLES)
            yield _one_batch(table.slice(0, rows))
            waiting = table.slice(rows).to_batches()
            count -= rows
    if count:
        yield _one_batch(pa.Table.from_batches(waiting, EXAMPLES))


def _one_batch(table: Any) -> RecordBatch:
    """A table as one batch whose buffers hold its rows only, from offset 0 on."""
    columns = [pa.concat_arrays(column.chunks) for column in table.columns]
    return pa.record_batch(columns, schema=EXAMPLES)
