"""The cache: parts of what a store holds, on this host's disk, by the SHA-256 of their bytes.

    CACHE/
    ├── parts/ab/ab12…   a part; when it was opened last is its file's time
    ├── locks/           one fetches a part while others wait for it
    └── used             bytes of all parts

A part is verified whenever it is opened, and mapped into memory, not copied. Any number of
processes share a cache; where a part has no room, those that were not opened for longest go.
"""

import fcntl
import hashlib
import os
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.files import disk
from pipeline.problems import Problem
from pipeline.store import patiently

LEFT = 7 / 8  # of a cache, after its oldest parts went

Buffer = Any
"""A `pyarrow.Buffer`."""


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of parts, `most` bytes of them, though never too few for the last one."""

    folder: Path
    most: int

    def opened(self, sha256: str, fetch: Callable[[], bytes]) -> Buffer:
        """A part, mapped into memory. What `fetch` gives is kept; a Problem where it is another."""
        while True:
            buffer = self._mapped(sha256)
            if buffer is not None:
                return buffer
            self.fetched(sha256, fetch)

    def has(self, sha256: str) -> bool:
        """Is a part here?"""
        return self._path(sha256).exists()

    def fetched(self, sha256: str, fetch: Callable[[], bytes]) -> None:
        """See to it that a part is here."""
        with self._locked(sha256[:2]):
            if not self.has(sha256):
                content = patiently(fetch)
                if hashlib.sha256(content).hexdigest() != sha256:
                    raise Problem(
                        "what the store holds was altered: its checksum differs",
                        value=sha256,
                        remedy="delete `inputs` in the store; the next run puts it there again",
                    )
                self._keep(self._path(sha256), content)

    def _path(self, sha256: str) -> Path:
        return self.folder / "parts" / sha256[:2] / sha256

    def _mapped(self, sha256: str) -> Buffer | None:
        """A part that is here and whole; one that is not is taken away."""
        path = self._path(sha256)
        try:
            with pa.memory_map(str(path)) as file:
                buffer: Buffer = file.read_buffer()
            os.utime(path)
        except FileNotFoundError:  # or it goes just now: the next one needs its room
            return None
        if hashlib.sha256(buffer).hexdigest() == sha256:
            return buffer
        path.unlink(missing_ok=True)
        return None

    def _keep(self, path: Path, content: bytes) -> None:
        """Write a part, one at a time of all processes, so that what is counted is what is there.

        What is lost in a crash is no harm: a part is verified when it is opened.
        """
        temporary = path.with_name(f".{path.name}.tmp")
        with self._locked("all"), disk(path):
            self._make_room(len(content))
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            temporary.replace(path)

    def _make_room(self, more: int) -> None:
        """Count bytes that come; let the oldest parts go where they are too many."""
        counted = self.folder / "used"
        used = more + (int(counted.read_text() or 0) if counted.exists() else self.used())
        if used > self.most:
            used = more + self._shrunk(int(self.most * LEFT) - more)
        counted.write_text(str(used))

    def used(self) -> int:
        """Bytes of all parts."""
        return sum(length for _, length, _ in self._parts())

    def _shrunk(self, most: int) -> int:
        """Let the oldest parts go until the rest has at most so many bytes; how many it has."""
        parts = sorted(self._parts())
        used = sum(length for _, length, _ in parts)
        for _, length, path in parts:
            if used <= most:
                break
            path.unlink(missing_ok=True)
            used -= length
        return used

    def _parts(self) -> list[tuple[int, int, Path]]:
        """When each part was opened last, its bytes and its place; and what killed writers left."""
        found: list[tuple[int, int, Path]] = []
        for path in self.folder.glob("parts/*/*"):
            with suppress(FileNotFoundError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        return found

    @contextmanager
    def _locked(self, name: str) -> Generator[None]:
        path = self.folder / "locks" / name
        with disk(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)
