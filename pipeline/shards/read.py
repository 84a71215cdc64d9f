"""Reading shards: examples by block, memory-mapped; lengths as numpy arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import RecordBatch
from pipeline.files import MANIFEST, RESTORE, checksum, read_manifest
from pipeline.problems import Problem
from pipeline.shards.schema import EXAMPLES, LENGTHS_FILE, shard_name

FACTS = {
    "block_rows": int,
    "longest": dict,
    "pieces_digest": str,
    "rows": int,
    "shards": list,
    "target_languages": list,
}


class Shards:
    """A folder of shards. Made by `open_shards`."""

    def __init__(self, folder: Path, manifest: dict[str, Any], digest: str) -> None:
        self.folder = folder
        self.manifest = manifest
        self.digest = digest  # of the manifest, and through its checksums of everything
        self.pieces_digest: str = manifest["pieces_digest"]
        self.rows: int = manifest["rows"]
        self.target_languages: tuple[str, ...] = tuple(manifest["target_languages"])
        step: int = manifest["block_rows"]
        self._places = [  # block → shard, block within it, rows
            (shard, index, min(step, rows - index * step))
            for shard, rows in enumerate(manifest["shards"])
            for index in range(-(-rows // step))
        ]
        self.blocks: tuple[int, ...] = tuple(rows for _, _, rows in self._places)
        self._open: tuple[int, Any] | None = None

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
        for block in range(len(self._places)):
            batch = self.block(block)
            for side, vocabulary in (("source", source_vocabulary), ("target", target_vocabulary)):
                values, offsets = ids(batch, side)
                if int(values.view(np.uint32).max(initial=0)) >= vocabulary:  # negative ones, too
                    place = int(np.flatnonzero(values.view(np.uint32) >= vocabulary)[0])
                    row = int(np.searchsorted(offsets, place, side="right")) - 1
                    raise Problem(
                        f"a {side} id is beyond the vocabulary, whose ids are below {vocabulary}",
                        where=str(self.folder / shard_name(self._places[block][0])),
                        value=f"{values[place]} in example {batch['id'][row].as_py()}",
                        remedy="make the shards again from these pieces: seqline run",
                    )

    @property
    def longest(self) -> tuple[int, int]:
        """Ids of the longest source (EOS counted) and of the longest target (bare)."""
        longest = self.manifest["longest"]
        return longest["source"], longest["target"]

    def lengths(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Ids of each source (EOS counted) and each target (bare), in the examples' order."""
        path = self.folder / LENGTHS_FILE
        table = _open_file(path).read_all()
        if table.num_rows != self.rows:
            raise _altered(path, f"{table.num_rows} lengths for {self.rows} examples")
        sides = [np.asarray(table[side], dtype=np.int32) for side in ("source", "target")]
        return sides[0], sides[1]

    def block(self, index: int) -> RecordBatch:
        """Block `index` of schema `EXAMPLES`; its ids are views of the file."""
        shard, place, rows = self._places[index]
        path = self.folder / shard_name(shard)
        if self._open is None or self._open[0] != shard:
            self._open = shard, _open_file(path)
        try:
            batch: RecordBatch = self._open[1].get_batch(place)
        except (pa.ArrowException, OSError, IndexError) as error:
            raise _altered(path, str(error)) from None
        if batch.num_rows != rows or not batch.schema.equals(EXAMPLES):
            raise _altered(path, f"block {place} is not what the manifest says")
        return batch


def open_shards(folder: Path, *, verify: bool = True) -> Shards:
    """The shards of a folder; a Problem where a file is missing, cut or (with `verify`) altered.

    Without `verify` lengths of files are compared, not checksums: for workers, whose driver did.
    """
    manifest = read_manifest(folder, verify=verify, facts=FACTS)
    counts = manifest["shards"]
    if not all(isinstance(rows, int) for rows in counts) or sum(counts) != manifest["rows"]:
        raise _altered(folder / MANIFEST, "its counts do not add up")
    return Shards(folder, manifest, checksum(folder / MANIFEST))


def ids(batch: RecordBatch, side: str) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """All ids of one side of a block end to end, and the n + 1 offsets into them; no copy."""
    column: Any = batch[side]
    return np.asarray(column.values), np.asarray(column.offsets)


def _open_file(path: Path) -> Any:
    try:
        return pa.ipc.open_file(pa.memory_map(str(path)))
    except (pa.ArrowException, OSError) as error:
        raise _altered(path, str(error)) from None


def _altered(path: Path, reason: str) -> Problem:
    return Problem(f"shard was cut or altered: {reason}", where=str(path), remedy=RESTORE)
