"""Lines: a text file, compressed or not, as a stream of Arrow string arrays.

A line ends at LF and at nothing else; whatever else it holds (tabs, trailing spaces, CR, U+2028)
reaches the row byte for byte. Only a byte order mark at the start of a file is no text. Memory is
bounded, however much a file unpacks to.
"""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.arrow import Array
from pipeline.problems import Problem

LineEnd = Literal["lf", "crlf"]
CHUNK_BYTES = 1 << 20
LONGEST_LINE_BYTES = 1 << 26
XZ_MEMORY_BYTES = 1 << 28  # xz -9 needs a quarter of it
_LF, _CR = 10, 13
_BROKEN = (OSError, EOFError, zlib.error, lzma.LZMAError)


def read_lines(path: Path, line_end: LineEnd = "lf") -> Iterator[Array]:
    """The lines in order, about a megabyte at a time; a Problem names file and line."""
    number, rest = 1, b""
    for chunk in _chunks(path):
        end = chunk.find(b"\n")
        if len(rest) + (end if end >= 0 else len(chunk)) > LONGEST_LINE_BYTES:
            raise Problem(
                f"line is longer than {LONGEST_LINE_BYTES} bytes",
                where=f"{path}, line {number}",
                remedy="is this a text file with one example a line?",
            )
        complete, found, tail = (rest + chunk).rpartition(b"\n")
        rest = tail
        if found:
            lines = _strings(complete + found, path, number, line_end)
            yield lines
            number += len(lines)
    if rest:  # a last line without its end
        end = b"\r\n" if line_end == "crlf" and not rest.endswith(b"\r") else b"\n"
        yield _strings(rest + end, path, number, line_end)


def _chunks(path: Path) -> Iterator[bytes]:
    """The file's content after decompression, without a byte order mark."""
    first = True
    try:
        for chunk in _decompressed(path):
            yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
            first = False
    except FileNotFoundError:
        raise missing(path) from None
    except _BROKEN as error:
        raise Problem(
            f"cannot be read to its end: {error}",
            where=str(path),
            remedy="fetch the file again, or check that its suffix names its compression; "
            "one that needs too much memory has to be packed anew",
        ) from None


def missing(path: Path) -> Problem:
    """The Problem of a corpus file that is not there."""
    return Problem(
        "file not found",
        where=str(path),
        remedy="put it there, or correct the file's name or corpora.folder in params.yaml",
    )


def _decompressed(path: Path) -> Iterator[bytes]:
    """Chunks of at most `CHUNK_BYTES`."""
    if path.suffix == ".xz":
        yield from _xz(path)
        return
    opener: Any = {".gz": gzip.open, ".bz2": bz2.open, ".zst": _open_zst}.get(path.suffix, open)
    with opener(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def _open_zst(path: Path, mode: str) -> Any:
    """Arrow's stream: zstandard's own reader would take a cut file for a whole one."""
    return pa.CompressedInputStream(path.open(mode), "zstd")


def _xz(path: Path) -> Iterator[bytes]:
    """Streams one after the other, zeros between them; lzma.open has no limit of memory."""
    with path.open("rb") as file:
        data = file.read(CHUNK_BYTES)
        while True:
            stream = lzma.LZMADecompressor(memlimit=XZ_MEMORY_BYTES)
            while not stream.eof:
                if chunk := stream.decompress(data, CHUNK_BYTES):
                    yield chunk
                data = file.read(CHUNK_BYTES) if stream.needs_input else b""
                if stream.needs_input and not data:
                    raise EOFError("compressed file ended before the end of its last stream")
            data = stream.unused_data.lstrip(b"\0")
            while not data and (more := file.read(CHUNK_BYTES)):
                data = more.lstrip(b"\0")
            if not data:
                return


def _strings(data: bytes, path: Path, number: int, line_end: LineEnd) -> Array:
    """Lines of `data`, which ends with LF; `number` is the number of the first."""
    content = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(content == _LF)
    width = 1
    if line_end == "crlf":
        _check_crlf(content, ends, path, number)
        width = 2
    text = np.delete(content, np.concatenate([ends - w for w in range(width)]))
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends + 1 - width * np.arange(1, len(ends) + 1)
    lines = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(text))
    try:
        lines.validate(full=True)
    except pa.ArrowInvalid:
        raise _not_utf8(data, path, number) from None
    return lines


def _check_crlf(
    content: NDArray[np.uint8], ends: NDArray[np.int64], path: Path, number: int
) -> None:
    good = (ends > 0) & (content[ends - 1] == _CR)
    if not good.all():
        raise Problem(
            "line does not end with CR LF",
            where=f"{path}, line {number + int(np.argmin(good))}",
            remedy="set the corpus's line_end to lf, or convert the whole file",
        )


def _not_utf8(data: bytes, path: Path, number: int) -> Problem:
    for place, line in enumerate(data.split(b"\n")):
        try:
            line.decode()
        except UnicodeDecodeError as error:
            return Problem(
                f"not UTF-8 at byte {error.start + 1} of the line",
                where=f"{path}, line {number + place}",
                value=line[max(error.start - 20, 0) : error.end + 20],
                remedy="convert the file: iconv -f ENCODING -t UTF-8",
            )
    raise AssertionError("Arrow refused bytes that decode")
