"""Writing shards: however the batches were cut, the same examples become the same bytes."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.arrow import compute as pc
from pipeline.files import disk_problem, empty_folder, write_manifest
from pipeline.shards.schema import EXAMPLES, LENGTHS, LENGTHS_FILE, shard_name


@dataclass(slots=True)
class _Counts:
    """What the manifest says about the examples."""

    shards: list[int] = field(default_factory=list[int])  # rows of each
    pieces: dict[str, int] = field(default_factory=lambda: {"source": 0, "target": 0})
    longest: dict[str, int] = field(default_factory=lambda: {"source": 0, "target": 0})

    def add(self, lengths: RecordBatch) -> None:
        self.shards[-1] += lengths.num_rows
        for side in ("source", "target"):
            self.pieces[side] += pc.sum(lengths[side]).as_py()
            self.longest[side] = max(self.longest[side], pc.max(lengths[side]).as_py())


def write_shards(
    folder: Path,
    batches: Iterable[RecordBatch],
    *,
    shard_rows: int,
    block_rows: int,
    pieces_digest: str,
) -> None:
    """Write batches of schema `EXAMPLES`, in order; `shard_rows` is a multiple of `block_rows`."""
    assert shard_rows % block_rows == 0, (shard_rows, block_rows)
    empty_folder(folder)
    counts = _Counts()
    try:
        with ExitStack() as stack:
            lengths = stack.enter_context(pa.ipc.new_file(folder / LENGTHS_FILE, LENGTHS))
            shard: Any = None
            for block in _blocks(batches, block_rows):
                if not counts.shards or counts.shards[-1] == shard_rows:
                    shard = _next_shard(folder, shard, counts, stack)
                _write_block(block, shard, lengths, counts)
    except OSError as error:
        raise disk_problem(error, folder) from error
    write_manifest(
        folder,
        block_rows=block_rows,
        longest=counts.longest,
        pieces=counts.pieces,
        pieces_digest=pieces_digest,
        rows=sum(counts.shards),
        schema=[f"{column.name}: {column.type}" for column in EXAMPLES],
        shards=counts.shards,
    )


def _next_shard(folder: Path, shard: Any, counts: _Counts, stack: ExitStack) -> Any:
    if shard is not None:
        shard.close()
    path = folder / shard_name(len(counts.shards))
    counts.shards.append(0)
    return stack.enter_context(pa.ipc.new_file(path, EXAMPLES))


def _write_block(block: RecordBatch, shard: Any, lengths: Any, counts: _Counts) -> None:
    columns = [pc.list_value_length(block[side]) for side in ("source", "target")]
    table = pa.record_batch(columns, schema=LENGTHS)
    counts.add(table)
    shard.write_batch(block)
    lengths.write_batch(table)


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
