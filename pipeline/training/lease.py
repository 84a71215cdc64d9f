"""The lease of a run key: one trainer at a time, told apart by a number that only grows.

`state/RUNKEY/lease.json` names its owner (host, process, its start) and a fencing number. Whoever
starts takes the lease and raises the number; a trainer that was left behind sees a higher number
than its own before it writes, and ends. A lease whose owner is gone may be taken over. An owner on
another host is watched: writing touches the file, so that it lives where the file moves, and is
gone where the file has been still for `SILENCE` seconds.
"""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import disk, read_json, write_json
from pipeline.problems import Problem

SILENCE = 300.0  # seconds: longer than a validation, in which nothing is written
LOOK = 1.0  # seconds between two looks at the file of an owner on another host


class LostLeaseError(ConnectionError):
    """Another trainer has taken over; nothing is wrong with this one, and it may write no more."""


def this_process() -> str:
    """This process's name as an owner: host, number, start in clock ticks since boot."""
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write in `folder`, as long as nobody holds a higher number."""

    folder: Path
    owner: str
    number: int

    @contextmanager
    def held(self) -> Generator[None]:
        """Write inside: nobody can take the lease meanwhile. LostLeaseError where somebody has."""
        path = self.folder / "lease.json"
        with _locked(self.folder):
            number, holder = _holder(path)
            if number != self.number:
                raise LostLeaseError(
                    f"{self.folder}: another trainer has taken over this run: {holder}"
                )
            os.utime(path)
            yield

    @contextmanager
    def explained(self) -> Generator[None]:
        """Write beside, not under the lease: what fails where it is lost is no fault of the disk.

        Whoever took it over sweeps up what others have half written.
        """
        try:
            yield
        except Problem:
            with self.held():
                raise


def take_lease(
    folder: Path, owner: str, *, report: Callable[[str], None] = lambda line: None
) -> Lease:
    """Take the lease; a Problem where a living trainer of another owner holds it.

    Where only time can tell whether that one lives, this is reported, and waited for.
    """
    with disk(folder):
        folder.mkdir(parents=True, exist_ok=True)
    path, waiting = folder / "lease.json", False
    touched = _touched(path)
    while True:
        with _locked(folder):
            number, holder = _holder(path)
            lives = holder not in ("", owner) and _lives(holder, path, touched)
            if lives is False:
                write_json(path, {"number": number + 1, "owner": owner})
                return Lease(folder, owner, number + 1)
        if lives:
            raise taken(str(folder), holder)
        if not waiting:
            report(waits_for(holder))
            waiting = True
        time.sleep(LOOK)


def _holder(path: Path) -> tuple[int, str]:
    """The number and the owner of a lease; 0 and "" where nobody ever had it."""
    if not path.exists():
        return 0, ""
    found = read_json(path)
    return int(found["number"]), str(found["owner"])


def _touched(path: Path) -> float:
    return path.stat().st_mtime if path.exists() else 0.0


def lives_here(owner: str) -> bool | None:
    """Does an owner live? None: it is of another host, so nobody here can tell."""
    host, pid, started = owner.rsplit(":", 2)
    return _started(int(pid)) == started if host == socket.gethostname() else None


def _lives(owner: str, path: Path, before: float) -> bool | None:
    """Does an owner live? None: not known yet. `before` is when its file was first seen to move."""
    lives = lives_here(owner)
    if lives is not None:
        return lives
    touched = _touched(path)
    if touched != before:
        return True
    return None if time.time() - touched < SILENCE else False


def waits_for(holder: str) -> str:
    """What is told while only time can tell whether an owner lives."""
    return f"{holder} has trained this run: waiting up to {SILENCE:.0f} s for its silence"


def taken(where: str, holder: str) -> Problem:
    """The Problem of a run that a living trainer holds."""
    return Problem(
        "this run is being trained by another process",
        where=where,
        value=holder,
        remedy="wait for it, or stop it; then run the same command again",
        retry=True,
    )


def _started(pid: int) -> str:
    """A process's start time: a number is used again, a number with its start is not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    with disk(folder):
        handle = os.open(folder / "lease.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
