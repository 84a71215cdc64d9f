"""Folders that are complete or not there: written beside their place, then renamed into it.

What goes loses its name before its files, so that a kill at no moment leaves half a folder under a
name that somebody reads. What a kill does leave has a hidden name, `.NAME.PID….tmp`, and is swept.
"""

import os
import shutil
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path

from pipeline.files import disk, empty_folder


@contextmanager
def written(
    place: Path, under: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Generator[Path]:
    """Yield an empty folder beside `place`; on success it becomes `place`, whatever was there.

    `under` gives what is held while it takes its place, such as a lease.
    """
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        with disk(place):
            yield empty_folder(beside)
        with under(), disk(place):
            remove(place)
            beside.rename(place)
            _flush(place.parent)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def remove(folder: Path) -> None:
    """Take a folder away, where there is one."""
    if folder.exists():
        shutil.rmtree(move(folder, f".{folder.name}.{os.getpid()}.gone.tmp"), ignore_errors=True)


def move(folder: Path, name: str) -> Path:
    """Rename a folder beside its place, whatever had that name."""
    target = folder.with_name(name)
    if target.exists():
        shutil.rmtree(target, ignore_errors=True)
    return folder.rename(target)


def sweep(folder: Path) -> None:
    """Remove what killed writers left in `folder`, which nobody else writes in meanwhile."""
    for path in folder.glob(".*.tmp"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Make the names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
