"""Lineage: from which commit, edits, graph and flow a version came. Kept with its run, never in it.

The commit and the diff are read from git; the digest of dvc.lock is that of its parsed YAML, since
DVC writes the same content in more than one order.
"""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.files import digest
from pipeline.settings import read_yaml

KEPT = ("dvc.lock", "params.yaml")


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
        name: (workspace / name).read_text(encoding="utf-8")
        for name in KEPT
        if (workspace / name).is_file()
    }
    diff = _git(workspace, "diff", "HEAD", "--", ".", ":(exclude)dvc.lock")
    if diff:
        files["uncommitted.diff"] = diff
    status = _git(workspace, "status", "--porcelain", "--", ".", ":(exclude)dvc.lock")
    return Lineage(
        commit=(_git(workspace, "rev-parse", "HEAD") or "unknown").strip(),
        dirty="unknown" if status is None else "yes" if status else "no",
        lock_digest=digest(read_yaml(workspace / "dvc.lock")) if "dvc.lock" in files else "unknown",
        flow_run=flow_run,
        files=files,
    )


def _git(workspace: Path, *arguments: str) -> str | None:
    """What git prints, or None where there is no git, no repository or no commit."""
    try:
        done = subprocess.run(
            ["git", "-C", str(workspace), *arguments], capture_output=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode(errors="replace")
