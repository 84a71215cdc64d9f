"""`seqline gc`: free space. What any commit names stays, and so does the registry."""

import shutil
from pathlib import Path

import typer

from flows import child
from flows.opened import locked
from flows.talk import say
from pipeline.files import read_json
from pipeline.machine import Machine
from pipeline.problems import Problem

CACHE = Path(".dvc/cache")
COMMAND = ["dvc", "gc", "--all-commits", "--workspace"]


def gc(yes: bool) -> None:
    """Says first what goes, and asks."""
    with locked("seqline gc") as machine:
        states = _old_states(machine)
        for line in _dvc("--dry"):
            say(f"results of no commit: {line}")
        for folder in states:
            kind = (
                "a former training" if (folder / "finished").is_dir() else "an unfinished training"
            )
            say(f"state of {kind}: {folder} ({_bytes(folder) / 2**20:.1f} MiB)")
        if not yes and not typer.confirm("delete this?"):
            return
        before = _bytes(CACHE)
        freed = sum(_bytes(folder) for folder in states)
        _dvc("--force")
        for folder in states:
            shutil.rmtree(folder)
        say(f"freed {(freed + before - _bytes(CACHE)) / 2**20:.1f} MiB")


def _old_states(machine: Machine) -> list[Path]:
    """State of trainings other than the present one. May be deleted at the cost of time only."""
    current = machine.folder / "current.json"
    key = read_json(current)["run_key"] if current.is_file() else ""
    return sorted(
        path.parent for path in machine.folder.glob("*/record.json") if path.parent.name != key
    )


def _dvc(mode: str) -> list[str]:
    """What `dvc gc` says, without its warnings about commits that have no results."""
    lines: list[str] = []
    if child.run([*COMMAND, mode], lines.append) != 0:
        raise Problem("dvc gc failed", value="\n".join(lines) or None)
    return [line for line in lines if "cache" in line and not line.startswith("WARNING")]


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
