"""Files: atomic writing, canonical JSON, checksums, manifests. Existence means complete.

Whatever is written goes to a temporary name beside its place, is flushed to disk and renamed.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

from pipeline.problems import Problem

MANIFEST = "manifest.json"
RESTORE = "restore it: dvc checkout -f, or make it again: seqline run"


def canonical_json(value: object, *, indent: int | None = None) -> str:
    """JSON with sorted keys: the same value is the same text. NaN and infinity are refused."""
    separators = (",", ": ") if indent else (",", ":")
    return json.dumps(
        value,
        sort_keys=True,
        ensure_ascii=False,
        indent=indent,
        separators=separators,
        allow_nan=False,
        default=_plain,
    )


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Path):
        return value.as_posix()
    if isinstance(value, frozenset | set):
        return sorted(value)  # pyright: ignore[reportUnknownVariableType]
    raise TypeError(f"no JSON for {type(value).__name__}")


def digest(value: object) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def checksum(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def writing(path: Path) -> Generator[Path]:
    """Yield a temporary path beside `path`; on success flush it and rename it to `path`."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        _flush(temporary)
        temporary.replace(path)
        _flush(path.parent)
    except OSError as error:
        raise disk_problem(error, path) from error
    finally:
        if temporary.exists():
            temporary.unlink()


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk(path: Path) -> Generator[None]:
    """Around our own writes to `path`: what fails there is the disk's Problem."""
    try:
        yield
    except OSError as error:
        raise disk_problem(error, path) from error


def disk_problem(error: OSError, path: Path) -> Problem:
    """A full, read-only or forbidden disk as a Problem."""
    return Problem(
        f"cannot write: {error.strerror or error}",
        where=str(path),
        remedy="free space or make the folder writable, then run the same command again",
    )


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with LF line ends, atomically."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes, atomically."""
    with writing(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: object) -> None:
    """Write canonical JSON for people: indented, a line end at the end."""
    write_text(path, canonical_json(value, indent=2) + "\n")


def read_json(path: Path) -> Any:
    """The value of a JSON file; a Problem where it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Problem("file not found", where=str(path), remedy="run: seqline run") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"broken JSON: {error}", where=str(path)) from None


def write_manifest(folder: Path, **facts: object) -> None:
    """List every file of `folder` with length and checksum, beside `facts`; written last.

    The files reach the disk first: whatever ends the machine, a manifest has what it lists.
    """
    with disk(folder):
        files = {
            path.relative_to(folder).as_posix(): _fact(path)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.name != MANIFEST
        }
    write_json(folder / MANIFEST, {"files": files, **facts})


def _fact(path: Path) -> dict[str, object]:
    _flush(path)
    return {"bytes": path.stat().st_size, "sha256": checksum(path)}


def read_manifest(
    folder: Path, *, verify: bool = True, facts: Mapping[str, type] | None = None
) -> dict[str, Any]:
    """The manifest's content: its files are there, whole, and with `verify` have their checksums.

    `facts` names what else it must hold, and of which type.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise Problem(
            "folder is not complete: it has no manifest",
            where=str(folder),
            remedy="make it again: seqline run",
        )
    content = read_json(path)
    if not _is_manifest(content, facts or {}):
        raise Problem("no valid manifest: it was altered", where=str(path), remedy=RESTORE)
    for name, fact in content["files"].items():
        _check(folder / name, fact, verify=verify)
    return content


def _is_manifest(content: Any, facts: Mapping[str, type]) -> bool:
    files = content.get("files") if isinstance(content, dict) else None
    return (
        isinstance(files, dict)
        and all(_holds(fact, {"bytes": int, "sha256": str}) for fact in files.values())
        and _holds(content, facts)
    )


def _holds(content: Any, facts: Mapping[str, type]) -> bool:
    return isinstance(content, dict) and all(
        isinstance(content.get(name), kind) for name, kind in facts.items()
    )


def _check(path: Path, fact: Mapping[str, Any], *, verify: bool) -> None:
    if not path.is_file():
        raise Problem("file of the manifest is missing", where=str(path), remedy=RESTORE)
    found = path.stat().st_size
    if found != fact["bytes"]:
        raise Problem(
            f"file was cut or altered: expected {fact['bytes']} bytes",
            where=str(path),
            value=found,
            remedy=RESTORE,
        )
    if verify and checksum(path) != fact["sha256"]:
        raise Problem("file was altered: its checksum differs", where=str(path), remedy=RESTORE)


def empty_folder(path: Path) -> Path:
    """`path` as a folder that exists and holds nothing."""
    with disk(path):
        if path.exists():
            shutil.rmtree(path)
        path.mkdir(parents=True)
    return path
