"""The workspace: a clone with its lock, its problem file, and processes that die with their parent.

One program at a time works in a workspace. The lock is an flock on `state/workspace.lock`, so the
system releases it however its holder ends. A flow hands its lock down to the stages that it starts
by a token in the environment; such a stage takes `state/stage.lock` instead, which keeps it from
running beside a stage of a flow that was just killed.
"""

import ctypes
import fcntl
import json
import os
import secrets
import select
import signal
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from pipeline.problems import Problem

LOCK_TOKEN = "SEQLINE_LOCK"  # noqa: S105 (the variable's name)
PR_SET_PDEATHSIG = 1
STAGE_WAIT_SECONDS = 30.0  # how long the end of a killed run's last stage is awaited


def root(start: Path | None = None) -> Path:
    """The nearest folder with dvc.yaml and params.yaml, from `start` (the current one) upwards."""
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / "dvc.yaml").is_file() and (folder / "params.yaml").is_file():
            return folder
    raise Problem(
        "no workspace here: neither this folder nor one above it holds dvc.yaml and params.yaml",
        where=str(here),
        remedy="change into a clone of the project",
    )


def die_with_parent(parent: int | None = None) -> None:
    """Have the kernel kill this process when its parent ends, however that ends. Survives exec.

    `parent` is the expected parent's process id: where it is gone already, end at once.
    """
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def die_with_caller() -> None:
    """Die with our parent, and with its parent too where ours is only a shell (`sh -c …`).

    DVC starts a stage through a shell, which may stay in between and outlive it.
    """
    parent = os.getppid()
    die_with_parent(parent)
    if not parent:  # outside of our container, whose first process we are, or `docker exec` started
        return
    command = Path(f"/proc/{parent}/cmdline").read_bytes().split(b"\0")
    if b"-c" in command[:-1] and b"sh" in Path(os.fsdecode(command[0])).name.encode():
        status = Path(f"/proc/{parent}/stat").read_text(encoding="utf-8", errors="replace")
        grandparent = int(status.rpartition(")")[2].split()[1])
        if grandparent:
            die_with(grandparent)


def die_with(process: int) -> None:
    """Kill this process when another ends: no parent's thread has to live for it."""
    handle = os.pidfd_open(process)

    def watch() -> None:
        select.select([handle], [], [])  # readable when the process has ended
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def hold(state: Path, command: str) -> Generator[None, None, None]:
    """Hold the workspace while the block runs; a Problem names who holds it already.

    Inside a process that was started under the lock, hold the stage's lock instead.
    """
    path = state / "workspace.lock"
    with _opened(path) as file:
        if _locked(file):
            with _opened(state / "stage.lock") as stage:  # of a killed run, still ending
                _await_lock(stage, state / "stage.lock")
            with _named(file, command):
                yield
            return
        holder = _holder(file)
    if not holder or os.environ.get(LOCK_TOKEN) != holder.get("token"):
        raise _taken(path, holder)
    with _opened(state / "stage.lock") as file:
        _await_lock(file, state / "stage.lock")
        yield


@contextmanager
def _named(file: IO[str], command: str) -> Generator[None, None, None]:
    """Write who holds the lock, and hand it down to the processes started meanwhile."""
    token = secrets.token_hex(8)
    holder = {"pid": os.getpid(), "command": command, "since": time.time(), "token": token}
    file.seek(0)
    file.truncate()
    file.write(json.dumps(holder))
    file.flush()
    before = os.environ.get(LOCK_TOKEN)
    os.environ[LOCK_TOKEN] = token
    try:
        yield
    finally:
        os.environ.pop(LOCK_TOKEN)
        if before is not None:
            os.environ[LOCK_TOKEN] = before


@contextmanager
def _opened(path: Path) -> Generator[IO[str], None, None]:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise Problem(
            f"cannot write: {error.strerror}",
            where=str(path),
            remedy="free space or make the folder writable, then run the same command again",
        ) from None
    with file:
        yield file


def _locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _await_lock(file: IO[str], path: Path) -> None:
    end = time.monotonic() + STAGE_WAIT_SECONDS
    while not _locked(file):
        if time.monotonic() > end:
            raise _taken(path, {})
        time.sleep(0.1)


def _holder(file: IO[str]) -> dict[str, Any]:
    file.seek(0)
    try:
        return json.loads(file.read())
    except json.JSONDecodeError:  # its holder is just writing it
        return {}


def _taken(path: Path, holder: dict[str, Any]) -> Problem:
    since = time.strftime("%H:%M:%S", time.localtime(holder.get("since", time.time())))
    named = f"{holder['command']} (process {holder['pid']}), since {since}" if holder else None
    return Problem(
        "another run works in this workspace",
        where=str(path),
        value=named,
        remedy="wait until it ends, or stop it",
    )


def write_problem(state: Path, stage: str, error: BaseException) -> bool:
    """Leave word of a failed stage for the flow. False where the disk refuses it."""
    known = isinstance(error, Problem)
    content = {
        "stage": stage,
        "kind": type(error).__name__,
        "message": str(error),
        "retry": known and error.retry,
    }
    try:
        state.mkdir(parents=True, exist_ok=True)
        temporary = state / f".problem.{os.getpid()}.tmp"
        temporary.write_text(json.dumps(content), encoding="utf-8")
        temporary.replace(state / "problem.json")
    except OSError:
        return False
    return True


def read_problem(state: Path) -> dict[str, Any] | None:
    """What the last stage left, or None where it ended well."""
    try:
        return json.loads((state / "problem.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None


def clear_problem(state: Path) -> None:
    """Forget the last stage's problem."""
    (state / "problem.json").unlink(missing_ok=True)
