"""Where shards lie: a folder of this host, or one that hosts share (pipeline/shared.py)."""

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pipeline.arrow import RecordBatch, Schema
from pipeline.files import RESTORE
from pipeline.problems import Problem

OPEN = 4  # files of a folder that stay open: the lengths, and the last shards


class Folder(Protocol):
    """Files by name; Arrow files by record batch."""

    def where(self, name: str) -> str:
        """A file's place, for people."""
        ...

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        ...

    def batch(self, name: str, place: int, schema: Schema) -> RecordBatch:
        """A record batch of an Arrow file of this schema, whose buffers are views of the file."""
        ...

    def fetch(self, batches: Iterable[tuple[str, int]]) -> None:
        """See to it that batches (file, place) are on this host."""
        ...


class Local:
    """A folder of this host."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened = lru_cache(OPEN)(_open_file)

    def __str__(self) -> str:
        return str(self.folder)

    def where(self, name: str) -> str:
        """A file's place, for people."""
        return str(self.folder / name)

    def read(self, name: str) -> bytes:
        """A file's bytes."""
        return (self.folder / name).read_bytes()

    def batch(self, name: str, place: int, schema: Schema) -> RecordBatch:
        """A record batch of an Arrow file, mapped into memory."""
        path = self.folder / name
        try:
            return self._opened(path).get_batch(place)
        except (pa.ArrowException, OSError, ValueError) as error:
            raise altered(str(path), str(error)) from None

    def fetch(self, batches: Iterable[tuple[str, int]]) -> None:
        """They are."""


def _open_file(path: Path) -> Any:
    return pa.ipc.open_file(pa.memory_map(str(path)))


def altered(where: str, reason: str) -> Problem:
    """The Problem of a shard that is not what was written."""
    return Problem(f"shard was cut or altered: {reason}", where=where, remedy=RESTORE)
