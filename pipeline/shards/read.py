"""Reading shards: examples by block, memory-mapped; lengths as numpy arrays."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow import Array, RecordBatch, Schema
from pipeline.files import MANIFEST, read_manifest
from pipeline.problems import Problem
from pipeline.shards.folder import Folder, Local, altered
from pipeline.shards.schema import (
    BLOCKS,
    BLOCKS_FILE,
    EXAMPLES,
    LENGTHS,
    LENGTHS_FILE,
    shard_name,
)

FACTS = {
    "block_rows": int,
    "longest": dict,
    "pieces_digest": str,
    "rows": int,
    "shards": list,
    "target_languages": list,
}


N = TypeVar("N", np.int32, np.int64)
Lengths = tuple[NDArray[np.int32], NDArray[np.int32]]
"""Ids of each source (EOS counted) and of each target (bare)."""


class Shards:
    """A folder of shards. Made by `open_shards`.

    Memory grows with the number of blocks alone: a few bytes for each.
    """

    def __init__(self, folder: Folder, manifest: dict[str, Any], digest: str) -> None:
        self.folder = folder
        self.manifest = manifest
        self.digest = digest  # of the manifest, and through its checksums of everything
        self.pieces_digest: str = manifest["pieces_digest"]
        self.rows: int = manifest["rows"]
        self.target_languages: tuple[str, ...] = tuple(manifest["target_languages"])
        step: int = manifest["block_rows"]
        shards = np.array(manifest["shards"], np.int64)
        ends = np.cumsum(-(-shards // step))
        self._firsts = np.concatenate([[0], ends[:-1]])  # the first block of each shard
        self.blocks: NDArray[np.int64] = np.full(ends[-1:].sum(), step)  # rows of each
        self.blocks[ends - 1] = shards - (ends - 1 - self._firsts[: len(ends)]) * step

    def check_pieces(self, digest: str) -> None:
        """A Problem where the ids are not of the pieces of this digest."""
        if self.pieces_digest != digest:
            raise Problem(
                "examples were made with other pieces",
                where=str(self.folder),
                value=f"pieces {self.pieces_digest[:16]}; artifacts/pieces has {digest[:16]}",
                remedy="make them again: seqline run",
            )

    def check_ids(self, source_vocabulary: int, target_vocabulary: int) -> None:
        """A Problem where an id is beyond its vocabulary. Reads every id once."""
        for block in range(len(self.blocks)):
            batch = self.block(block)
            for side, vocabulary in (("source", source_vocabulary), ("target", target_vocabulary)):
                values, offsets = ids(batch, side)
                if int(values.view(np.uint32).max(initial=0)) >= vocabulary:  # negative ones, too
                    place = int(np.flatnonzero(values.view(np.uint32) >= vocabulary)[0])
                    row = int(np.searchsorted(offsets, place, side="right")) - 1
                    raise Problem(
                        f"a {side} id is beyond the vocabulary, whose ids are below {vocabulary}",
                        where=self.folder.where(self._place(block)[0]),
                        value=f"{values[place]} in example {batch['id'][row].as_py()}",
                        remedy="make the shards again from these pieces: seqline run",
                    )

    @property
    def longest(self) -> tuple[int, int]:
        """Ids of the longest source (EOS counted) and of the longest target (bare)."""
        longest = self.manifest["longest"]
        return longest["source"], longest["target"]

    def lengths(self, blocks: Iterable[int] | None = None) -> Lengths:
        """Those of the examples of `blocks`, one block after another; None: of all there are."""
        places = [(LENGTHS_FILE, block) for block in _whole(blocks, len(self.blocks))]
        self.folder.fetch(places)
        found = [self._batch(*place, LENGTHS, int(self.blocks[place[1]])) for place in places]
        empty = np.zeros(0, np.int32)
        source, target = (
            np.concatenate([_numbers(batch[side], np.int32) for batch in found] or [empty])
            for side in ("source", "target")
        )
        return source, target

    def sums(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids of all sources (EOS counted) and of all targets (bare) of each block."""
        batch = self._batch(BLOCKS_FILE, 0, BLOCKS, len(self.blocks))
        return _numbers(batch["source"], np.int64), _numbers(batch["target"], np.int64)

    def block(self, index: int) -> RecordBatch:
        """Block `index` of schema `EXAMPLES`; its ids are views of the file."""
        return self._batch(*self._place(index), EXAMPLES, int(self.blocks[index]))

    def fetch(self, blocks: Iterable[int]) -> None:
        """See to it that blocks are on this host: together they come faster than one by one."""
        self.folder.fetch(map(self._place, blocks))

    def _place(self, block: int) -> tuple[str, int]:
        """The shard of a block, and which of its blocks it is."""
        shard = int(np.searchsorted(self._firsts, block, side="right")) - 1
        return shard_name(shard), block - int(self._firsts[shard])

    def _batch(self, name: str, place: int, schema: Schema, rows: int) -> RecordBatch:
        """A record batch of a file, which has to hold so many rows of the schema."""
        batch = self.folder.batch(name, place, schema)
        if batch.num_rows != rows or not batch.schema.equals(schema):
            raise altered(self.folder.where(name), f"block {place} is not what the manifest says")
        return batch

    def names(self, rows: NDArray[np.int64]) -> list[str]:
        """The ids of examples (corpus and position), in the order of `rows`."""
        ends = np.cumsum(self.blocks)
        blocks = np.searchsorted(ends, rows, side="right")
        starts = ends[blocks] - np.asarray(self.blocks)[blocks]
        places = zip(blocks.tolist(), (rows - starts).tolist(), strict=True)
        return [self.block(block)["id"][place].as_py() for block, place in places]


def open_shards(folder: Path | Folder, *, verify: bool = True) -> Shards:
    """The shards of a folder; a Problem where a file is missing, cut or (with `verify`) altered.

    Without `verify` lengths of files are compared, not checksums: for workers, whose driver did.
    What hosts share was compared before it was shared, and is verified as it is read.
    """
    if isinstance(folder, Path):
        read_manifest(folder, verify=verify, facts=FACTS)
        folder = Local(folder)
    content = folder.read(MANIFEST)
    manifest = json.loads(content)
    counts = manifest["shards"]
    if not all(isinstance(rows, int) for rows in counts) or sum(counts) != manifest["rows"]:
        raise altered(folder.where(MANIFEST), "its counts do not add up")
    return Shards(folder, manifest, hashlib.sha256(content).hexdigest())


def ids(batch: RecordBatch, side: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All ids of one side of a block end to end, and the n + 1 offsets into them; no copy."""
    column: Any = batch[side]
    return _numbers(column.values, np.int32), _numbers(column.offsets, np.int32)


def _numbers(array: Array, kind: type[N]) -> NDArray[N]:
    """A view of numbers, none of which is null. numpy's own conversion would load pandas first."""
    if not len(array):
        return np.zeros(0, kind)
    buffer, size = array.buffers()[1], np.dtype(kind).itemsize
    return np.frombuffer(buffer, kind, count=len(array), offset=array.offset * size)


def _whole(blocks: Iterable[int] | None, count: int) -> Iterable[int]:
    return range(count) if blocks is None else map(int, blocks)
