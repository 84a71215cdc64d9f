"""Programs that we start: they die with us, have their own session, and are read line by line.

`python -m flows.child PARENT PROGRAM ARGUMENT…` binds itself to its parent and becomes PROGRAM.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

# For what a program puts away after Ctrl-C; then it is killed. Longer than training waits for its
# last checkpoint (pipeline/cluster.py).
GRACE_SECONDS = 90.0


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, with this interpreter's programs first, so that `python` and `dvc` are its own."""
    programs = Path(sys.executable).parent
    return {
        **os.environ,
        "PATH": f"{programs}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PYTHONUNBUFFERED": "1",
        "SHELL": "/bin/sh",  # DVC runs a stage's command with it; the user's own may be any
        "DVC_NO_ANALYTICS": "1",
        **(extra or {}),
    }


def start(
    command: Sequence[str],
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
    output: IO[str] | int = subprocess.PIPE,
) -> subprocess.Popen[str]:
    """Start a program that ends when we end, however we do; output and errors in one stream."""
    return subprocess.Popen(
        [sys.executable, "-m", "flows.child", str(os.getpid()), *command],
        cwd=cwd,
        env=environment(extra),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )


def run(
    command: Sequence[str],
    tell: Callable[[str], None],
    *,
    cwd: Path | None = None,
    extra: Mapping[str, str] | None = None,
) -> int:
    """Run a program to its end, handing on each line; its exit code. What stops us stops it."""
    process = start(command, cwd=cwd, extra=extra)
    try:
        assert process.stdout is not None
        for line in process.stdout:
            tell(line.rstrip())
        return process.wait()
    finally:
        stop(process)


def stop(process: subprocess.Popen[str], grace: float = GRACE_SECONDS) -> None:
    """End a program and what it started: by Ctrl-C, or by force where that does not help."""
    try:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            process.wait(grace)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass
    finally:
        _kill(process)


def _kill(process: subprocess.Popen[str]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # the rest of its session, if there is one
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def _become(parent: int, command: list[str]) -> None:
    from pipeline.workspace import die_with_parent

    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it
    os.execvp(command[0], command)  # noqa: S606 (a list of arguments, never a shell)


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
