"""`seqline gc`: free space. What any commit names stays, and so does the registry."""

import json
import shutil
from pathlib import Path

import typer

from flows import child
from flows.opened import locked
from flows.talk import say
from pipeline.machine import Machine
from pipeline.problems import Problem

COMMAND = ["dvc", "gc", "--all-commits", "--workspace"]


def gc(yes: bool) -> None:
    """Says first what goes, and asks."""
    with locked("seqline gc") as machine:
        states = _old_states(machine)
        say(f"DVC's cache: {_dvc('--dry')}")
        for folder in states:
            say(f"training state: {folder} ({_mib(folder)})")
        if not states:
            say("training state: nothing")
        if not yes and not typer.confirm("delete this?"):
            return
        _dvc("--force")
        for folder in states:
            shutil.rmtree(folder)
        say("done")


def _old_states(machine: Machine) -> list[Path]:
    """State of trainings other than the present one. May be deleted at the cost of time only."""
    current = machine.state / "current.json"
    key = json.loads(current.read_text(encoding="utf-8"))["run_key"] if current.is_file() else ""
    return sorted(
        path.parent for path in machine.state.glob("*/record.json") if path.parent.name != key
    )


def _dvc(mode: str) -> str:
    """What `dvc gc` says in its last line."""
    lines: list[str] = []
    if child.run([*COMMAND, mode], lines.append) != 0:
        raise Problem("dvc gc failed", value="\n".join(lines) or None)
    return lines[-1] if lines else "nothing"


def _mib(folder: Path) -> str:
    total = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{total / 2**20:.1f} MiB"
