"""The lease of a run key: one trainer at a time, told apart by a number that only grows.

`state/RUNKEY/lease.json` names its owner (host, process, its start) and a fencing number.
Whoever starts takes the lease and raises the number; a trainer that was left behind sees a higher
number than its own before it writes, and ends. A lease whose owner is gone, or has been silent for
`SILENCE` seconds on another host, may be taken over.
"""

import fcntl
import os
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.files import disk_problem, read_json, write_json
from pipeline.problems import Problem

SILENCE = 300.0


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
        """Write inside: nobody can take the lease meanwhile. A Problem where somebody has."""
        with _locked(self.folder):
            found = read_json(self.folder / "lease.json")
            if found["number"] != self.number:
                raise Problem(
                    "another trainer has taken over this run; this one ends",
                    where=str(self.folder),
                    value=found["owner"],
                )
            os.utime(self.folder / "lease.json")
            yield


def take_lease(folder: Path, owner: str) -> Lease:
    """Take the lease; a Problem where a living trainer of another owner holds it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise disk_problem(error, folder) from error
    path = folder / "lease.json"
    with _locked(folder):
        number = 0
        if path.exists():
            found = read_json(path)
            number = int(found["number"])
            if found["owner"] != owner and _alive(found["owner"], path):
                raise Problem(
                    "this run is being trained by another process",
                    where=str(folder),
                    value=found["owner"],
                    remedy="wait for it, or stop it; then run the same command again",
                    retry=True,
                )
        write_json(path, {"number": number + 1, "owner": owner})
    return Lease(folder, owner, number + 1)


def _alive(owner: str, path: Path) -> bool:
    host, pid, started = owner.rsplit(":", 2)
    if host == socket.gethostname():
        return _started(int(pid)) == started
    return time.time() - path.stat().st_mtime < SILENCE


def _started(pid: int) -> str:
    """A process's start time: a number is used again, a number with its start is not."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] == "Z" else fields[19]


@contextmanager
def _locked(folder: Path) -> Generator[None]:
    try:
        handle = os.open(folder / "lease.lock", os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise disk_problem(error, folder) from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
