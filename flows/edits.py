"""Edits: what stands in the workspace beside git's last commit, and data that DVC does not hold."""

import subprocess
from collections.abc import Callable
from pathlib import Path

from flows import child
from flows.graph import Graph
from pipeline.problems import Problem
from pipeline.settings import read_yaml

CORPORA = "data/corpora/"
READ = ("pipeline/", "flows/", "data/none/")  # where untracked files change what stages read
Tell = Callable[[str], None]


def uncommitted(*paths: str) -> list[tuple[str, str]]:
    """Changed files, untracked ones too: git's two letters, and the path."""
    listed = _git("status", "--porcelain", "-z", "--untracked-files=all", "--", *(paths or ["."]))
    entries = iter(listed.split("\0")[:-1])
    found: list[tuple[str, str]] = []
    for entry in entries:
        found.append((entry[:2], entry[3:]))
        if "R" in entry[:2] or "C" in entry[:2]:
            found.append((entry[:2], next(entries)))  # where it was before
    return found


def refuse() -> None:
    """A Problem for edits that are not committed; what every run writes itself is no edit."""
    edits = [path for status, path in uncommitted() if _counts(status, path)]
    if edits:
        raise Problem(
            "a scheduled run refuses edits that are not committed",
            where=str(Path.cwd()),
            value=", ".join(edits[:5]),
            remedy="commit them, or run by hand: seqline run",
        )


def _counts(status: str, path: str) -> bool:
    if path == "dvc.lock" or (path.startswith(CORPORA) and path.endswith((".dvc", ".gitignore"))):
        return False
    other_data = path.startswith("data/") and path.endswith(".dvc")
    return status != "??" or path.startswith(READ) or other_data


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
    return bool(_git("ls-files", "--", str(folder)))


def _git(*arguments: str) -> str:
    """What git prints about the current folder."""
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        ended = isinstance(error, subprocess.CalledProcessError)
        raise Problem(
            "git cannot tell what was edited",
            where=str(Path.cwd()),
            value=error.stderr.decode(errors="replace").strip() if ended else str(error),
            remedy="run in a clone of the project",
        ) from None
    return done.stdout.decode(errors="replace")
