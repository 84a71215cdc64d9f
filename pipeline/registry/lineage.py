"""Lineage: from which commit, edits, graph and flow a version came. Kept with its run, never in it.

The commit and the diff are read from git; the digest of dvc.lock is that of its parsed YAML, since
DVC writes the same content in more than one order. What says where things are made, and may hold
passwords, changes no result and is left out.
"""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.files import digest
from pipeline.registry.addresses import public
from pipeline.settings import read_yaml

KEPT = ("dvc.lock", "params.yaml")
EDITED = (".", *(f":(exclude){name}" for name in ("dvc.lock", "machine.yaml", ".dvc/config")))
ADDED = ("pipeline", "flows", ":(glob)data/**/*.dvc")  # untracked files that count
PLAIN = ("diff", "--no-ext-diff", "--no-textconv", "--no-color")


@dataclass(frozen=True, slots=True)
class Lineage:
    """Where a version comes from. `files` are texts by name, kept as artifacts of the run."""

    commit: str = "unknown"
    dirty: str = "unknown"  # "yes", "no"
    lock_digest: str = "unknown"
    flow_run: str = ""
    files: Mapping[str, str] = field(default_factory=dict[str, str])

    def tags(self) -> dict[str, str]:
        """As tags of a version."""
        return {
            "git_commit": self.commit,
            "git_dirty": self.dirty,
            "dvc_lock_digest": self.lock_digest,
            "flow_run": self.flow_run,
        }


def read_lineage(workspace: Path, flow_run: str = "") -> Lineage:
    """The lineage of what stands in the workspace. dvc.lock, which every run writes, is no edit."""
    files = {
        name: public((workspace / name).read_text(encoding="utf-8"))
        for name in KEPT
        if (workspace / name).is_file()
    }
    diff = "".join([_git(workspace, *PLAIN, "HEAD", "--", *EDITED) or "", *_added(workspace)])
    if diff:
        files["uncommitted.diff"] = public(diff)
    status = _git(workspace, "status", "--porcelain", "--", ".", ":(exclude)dvc.lock")
    return Lineage(
        commit=(_git(workspace, "rev-parse", "HEAD") or "unknown").strip(),
        dirty="unknown" if status is None else "yes" if status else "no",
        lock_digest=digest(read_yaml(workspace / "dvc.lock")) if "dvc.lock" in files else "unknown",
        flow_run=flow_run,
        files=files,
    )


def _added(workspace: Path) -> Iterator[str]:
    """Untracked files as differences from nothing."""
    listed = _git(workspace, "ls-files", "--others", "--exclude-standard", "-z", "--", *ADDED)
    for name in filter(None, (listed or "").split("\0")):
        yield _git(workspace, *PLAIN, "--no-index", "--", "/dev/null", name, differs=True) or ""


def _git(workspace: Path, *arguments: str, differs: bool = False) -> str | None:
    """What git prints, or None where there is no git, no repository or no commit.

    `differs`: where it is to compare files, it ends with 1 when they do.
    """
    try:
        done = subprocess.run(
            ["git", "-C", str(workspace), *arguments], capture_output=True, check=False
        )
    except OSError:
        return None
    return done.stdout.decode(errors="replace") if done.returncode == int(differs) else None
