"""Folders that hosts share through a store: put there once, read by parts.

    artifacts/shards/train ─► STORE/DIGEST/
                              ├── 00000.arrow …   the files as they are
                              └── index.arrow     what parts each is made of; written last

An Arrow file's parts are its record batches, so that a block of examples is one range of one
object; other files are cut by length. The index names the SHA-256 of every part, and DIGEST is that
of the index: what is read is what was put there, or a Problem.
"""

import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import RecordBatch, Schema
from pipeline.cache import Buffer, Cache
from pipeline.files import disk
from pipeline.store import Store

INDEX = "index.arrow"
PARTS = pa.schema(
    [("file", pa.string()), ("offset", pa.int64()), ("bytes", pa.int64()), ("sha256", pa.string())]
)
MAGIC = 8  # bytes of an Arrow file before its first message, which is the schema
MOST = 16 * 2**20  # bytes of a part of any other file
SIDE_BY_SIDE = 8  # parts that are fetched at once


def put(folder: Path, store: Store) -> str:
    """Put a folder into a store, where it is not there yet; its digest."""
    index = _index(folder)
    digest = hashlib.sha256(index).hexdigest()
    place = store.below(digest)
    if INDEX not in place.listed():
        for path in _files(folder):
            place.upload(path, path.relative_to(folder).as_posix())
        place.write(INDEX, index)
    return digest


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def _index(folder: Path) -> bytes:
    """The index of a folder: the same files, the same bytes."""
    rows: dict[str, list[Any]] = {name: [] for name in PARTS.names}
    for path in _files(folder):
        content = np.fromfile(path, np.uint8) if not _is_arrow(path) else np.memmap(path, mode="r")
        for begin, end in pairwise(_cuts(path, len(content))):
            rows["file"].append(path.relative_to(folder).as_posix())
            rows["offset"].append(begin)
            rows["bytes"].append(end - begin)
            rows["sha256"].append(hashlib.sha256(content[begin:end].data).hexdigest())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, PARTS) as file:
        columns = [pa.array(rows[column.name], column.type) for column in PARTS]
        file.write_batch(pa.record_batch(columns, schema=PARTS))
    return sink.getvalue().to_pybytes()


def _is_arrow(path: Path) -> bool:
    return path.suffix == ".arrow"


def _cuts(path: Path, length: int) -> Iterator[int]:
    """Where a file is cut, its begin and its end among it: the n-th batch is part n + 1."""
    yield 0
    if _is_arrow(path):
        with pa.memory_map(str(path)) as file:
            file.seek(MAGIC)
            for _ in pa.ipc.MessageReader.open_stream(file):
                yield file.tell()
    else:
        yield from range(MOST, length, MOST)
    yield length


@dataclass(frozen=True, slots=True)
class Part:
    """A range of a file."""

    file: str
    offset: int
    bytes: int
    sha256: str


class Shared:
    """A folder in a store, read through a host's cache."""

    def __init__(self, store: Store, digest: str, cache: Cache) -> None:
        self.store, self.digest, self.cache = store.below(digest), digest, cache

    def __str__(self) -> str:
        return self.store.address

    def where(self, name: str) -> str:
        """A file's place, for people."""
        return f"{self.store.address}/{name}"

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return b"".join(memoryview(self._opened(part)) for part in self._parts(name))

    def batch(self, name: str, place: int, schema: Schema) -> RecordBatch:
        """A record batch of an Arrow file, mapped into memory."""
        message = self._opened(self._part(self._firsts[name] + 1 + place))
        return pa.ipc.read_record_batch(message, schema)

    def fetch(self, batches: Iterable[tuple[str, int]]) -> None:
        """See to it that batches (file, place) are in the cache: several at once."""
        parts = [self._part(self._firsts[name] + 1 + place) for name, place in batches]
        missing = [part for part in parts if not self.cache.has(part.sha256)]
        if missing:
            with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
                list(pool.map(self._fetched, missing))

    def copy(self, folder: Path) -> None:
        """Write all files into a folder."""
        for name in self._firsts:
            path = folder / name
            with disk(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(self.read(name))

    def _opened(self, part: Part) -> Buffer:
        if not part.bytes:
            return pa.py_buffer(b"")  # what is empty cannot be mapped
        return self.cache.opened(part.sha256, partial(self._range, part))

    def _fetched(self, part: Part) -> None:
        self.cache.fetched(part.sha256, partial(self._range, part))

    def _range(self, part: Part) -> bytes:
        return self.store.read(part.file, part.offset, part.bytes)

    @cached_property
    def _index(self) -> RecordBatch:
        fetch = partial(self.store.read, INDEX)
        return pa.ipc.open_file(self.cache.opened(self.digest, fetch)).get_batch(0)

    @cached_property
    def _begins(self) -> NDArray[np.int64]:
        """The first part of each file: that at its begin."""
        offsets: Any = self._index["offset"]
        return np.flatnonzero(np.frombuffer(offsets.buffers()[1], np.int64, len(offsets)) == 0)

    @cached_property
    def _firsts(self) -> dict[str, int]:
        """The first part of each file, by its name."""
        names = [self._index["file"][begin].as_py() for begin in self._begins.tolist()]
        return dict(zip(names, self._begins.tolist(), strict=True))

    def _part(self, number: int) -> Part:
        return Part(*(column[number].as_py() for column in self._index.columns))

    def _parts(self, name: str) -> list[Part]:
        """All parts of a file."""
        first, ends = self._firsts[name], [*self._begins.tolist(), self._index.num_rows]
        return [self._part(number) for number in range(first, ends[ends.index(first) + 1])]
