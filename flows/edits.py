"""Edits: what stands in the workspace beside git's last commit, and data that DVC does not hold."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from flows import child
from flows.graph import Graph
from pipeline.problems import Problem
from pipeline.settings import read_yaml

CORPORA = "data/corpora/"
CODE = ("pipeline/", "flows/")
Tell = Callable[[str], None]


def uncommitted(*paths: str) -> list[str]:
    """Changed files in git's short form (` M params.yaml`), untracked ones too."""
    done = subprocess.run(
        ["git", "status", "--porcelain", "--untracked-files=all", "--", *(paths or ["."])],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise Problem(
            "git cannot tell what was edited",
            where=str(Path.cwd()),
            value=done.stderr.strip(),
            remedy="run in a clone of the project",
        )
    return done.stdout.splitlines()


def refuse() -> None:
    """A Problem for edits that are not committed; what every run writes itself is no edit."""
    edits = [line for line in uncommitted() if _counts(line[:2], line[3:])]
    if edits:
        raise Problem(
            "a scheduled run refuses edits that are not committed",
            where=str(Path.cwd()),
            value=", ".join(line[3:] for line in edits[:5]),
            remedy="commit them, or run by hand: seqline run",
        )


def _counts(status: str, path: str) -> bool:
    if path == "dvc.lock" or (path.startswith(CORPORA) and path.endswith((".dvc", ".gitignore"))):
        return False
    return status != "??" or path.startswith(CODE)


def track_folders(tell: Tell) -> None:
    """Put the folders that params.yaml names under DVC where neither git nor DVC holds them yet."""
    params = read_yaml(Path("params.yaml"))
    for section, key in (("corpora", "folder"), ("training", "start")):
        folder = Path(str(params.get(section, {}).get(key, "data/none")))
        known = Path(f"{folder}.dvc").exists() or _in_git(folder)
        if folder.is_dir() and not known:
            add(folder)
            tell(f"{folder} is under DVC now (dvc add): commit {folder}.dvc")


def track_changes(graph: Graph, tell: Tell) -> None:
    """Have DVC keep the present content of the data that the stages read."""
    read = {item.path for node in graph.nodes for item in node.inputs}
    for source in graph.sources:
        if source.changed and source.path in read and Path(source.path).exists():
            add(Path(source.path))
            tell(f"{source.path} changed (dvc add): commit {source.path}.dvc")


def add(folder: Path) -> None:
    """`dvc add`."""
    lines: list[str] = []
    if child.run(["dvc", "add", "--quiet", str(folder)], lines.append) != 0:
        raise Problem("dvc add failed", where=str(folder), value="\n".join(lines) or None)


def _in_git(folder: Path) -> bool:
    done = subprocess.run(
        ["git", "ls-files", "--", str(folder)], capture_output=True, text=True, check=False
    )
    return bool(done.stdout.strip())
