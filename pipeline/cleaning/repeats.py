"""Verdicts and keys of all rows of train, on disk, so that memory hardly grows with the corpus.

    verdicts        a byte a row, in the order of the rows; memory-mapped when it is changed
    key_0.000, …    24 bytes a row: key and position; parted by the key, so that equal keys meet

Parts are worked on one after the other. Each holds about `PART_ROWS` rows; of a corpus of more than
17 million rows, whose parts would be too many, a 256th of them.
"""

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import numpy as np
from numpy.typing import NDArray

from pipeline.arrow import RecordBatch
from pipeline.files import disk

PART_ROWS = 65_536
MOST_PARTS = 256
_ENTRY = np.dtype([("high", "<u8"), ("low", "<u8"), ("position", "<u8")])


class Verdicts:
    """Written batch by batch, then settled, then read in order."""

    def __init__(self, folder: Path, rows: int, repeats: int) -> None:
        self.folder = folder
        self.rows = 0
        wanted = min(max(rows // PART_ROWS, 1), MOST_PARTS)
        self.bits = int(wanted - 1).bit_length()  # 2 ** bits parts
        self._names = [
            [f"key_{rule}.{part:03d}" for part in range(2**self.bits)] for rule in range(repeats)
        ]
        self._stack = ExitStack()
        self._verdicts: IO[bytes] | None = None
        self._parts: list[list[IO[bytes]]] = []

    def __enter__(self) -> Self:
        """Open the files for writing."""
        with disk(self.folder):
            self._verdicts = self._open("verdicts")
            self._parts = [[self._open(name) for name in names] for names in self._names]
        return self

    def _open(self, name: str) -> IO[bytes]:
        return self._stack.enter_context((self.folder / name).open("wb"))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """Close the files."""
        with disk(self.folder):
            self._stack.close()

    def add(self, judged: RecordBatch) -> None:
        """What the judge said about the next rows."""
        assert self._verdicts is not None, "open it first: with Verdicts(…) as verdicts"
        with disk(self.folder):
            self._verdicts.write(np.asarray(judged["verdict"]).tobytes())
            self._add_keys(judged)
        self.rows += judged.num_rows

    def _add_keys(self, judged: RecordBatch) -> None:
        entries = np.empty(judged.num_rows, _ENTRY)
        entries["position"] = np.arange(self.rows, self.rows + judged.num_rows)
        for rule, files in enumerate(self._parts):
            keys = _halves(judged[f"key_{rule}"])
            entries["high"], entries["low"] = keys[:, 0], keys[:, 1]
            self._part(entries, files)

    def _part(self, entries: Any, files: list[IO[bytes]]) -> None:
        part = (entries["high"] >> np.uint64(32)).astype(np.int64) & (2**self.bits - 1)
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=len(files)))
        for file, chunk in zip(files, np.split(entries[order], ends[:-1]), strict=True):
            file.write(chunk.tobytes())

    def settle(self, indices: list[int]) -> None:
        """Give every later row of an equal key the verdict of its rule, in the order of the rules.

        `indices` are the places of the rules that compare rows, among all rules. A row that an
        earlier rule dropped is not compared.
        """
        with disk(self.folder):
            verdicts = self.read()
            for index, names in zip(indices, self._names, strict=True):
                for name in names:
                    later = _later(np.fromfile(self.folder / name, _ENTRY), verdicts, index)
                    verdicts[later] = index
            if len(verdicts):
                verdicts.flush()

    def read(self) -> Any:
        """The verdicts of all rows as a memory map."""
        path = self.folder / "verdicts"
        if not self.rows:
            return np.empty(0, np.uint8)
        return np.memmap(path, np.uint8, "r+", shape=(self.rows,))


def _later(entries: Any, verdicts: Any, index: int) -> NDArray[np.uint64]:
    """Positions of the entries whose key stands at an earlier position, too."""
    entries = entries[verdicts[entries["position"]] > index]
    entries = entries[np.lexsort((entries["position"], entries["low"], entries["high"]))]
    same = (entries["high"][1:] == entries["high"][:-1]) & (
        entries["low"][1:] == entries["low"][:-1]
    )
    return entries["position"][1:][same]


def _halves(keys: Any) -> Any:
    content = np.frombuffer(keys.buffers()[1], np.uint64).reshape(-1, 2)
    return content[keys.offset : keys.offset + len(keys)]
