"""Lineage is read from git and dvc.lock, and is unknown where there is none."""

import subprocess
from pathlib import Path

from pipeline.files import digest
from pipeline.registry.lineage import Lineage, read_lineage


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    return subprocess.run([*command, *arguments], check=True, capture_output=True, text=True).stdout


def test_commit_edits_and_lock_are_told_and_kept(tmp_path: Path):
    git(tmp_path, "init", "-q")
    (tmp_path / "params.yaml").write_text("a: 1\n")
    (tmp_path / "dvc.lock").write_text("b: 2\na: 1\n")
    git(tmp_path, "add", "params.yaml", "dvc.lock")
    git(tmp_path, "commit", "-qm", "One")
    (tmp_path / "dvc.lock").write_text("a: 1\nb: 3\n")
    found = read_lineage(tmp_path, "flow-7")
    assert found == Lineage(
        commit=git(tmp_path, "rev-parse", "HEAD").strip(),
        dirty="no",
        lock_digest=digest({"a": 1, "b": 3}),
        flow_run="flow-7",
        files={"dvc.lock": "a: 1\nb: 3\n", "params.yaml": "a: 1\n"},
    )
    (tmp_path / "params.yaml").write_text("a: 2\n")
    edited = read_lineage(tmp_path)
    assert edited.dirty == "yes"
    assert "-a: 1\n+a: 2\n" in edited.files["uncommitted.diff"]


def test_without_git_or_lock_lineage_is_unknown(tmp_path: Path):
    assert read_lineage(tmp_path) == Lineage("unknown", "unknown", "unknown", "")


def test_edits_tell_all_that_changes_a_result_and_no_secret(tmp_path: Path):
    git(tmp_path, "init", "-q")
    for name in ("machine.yaml", ".dvc/config", "params.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a: 1\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-qm", "One")
    git(tmp_path, "config", "color.ui", "always")
    git(tmp_path, "config", "diff.external", "false")
    (tmp_path / "machine.yaml").write_text("mlflow_uri: http://me:secret@host\n")
    (tmp_path / ".dvc/config").write_text("password = secret\n")
    (tmp_path / "params.yaml").write_text("a: 2  # http://me:secret@host\n")
    added = ("pipeline/new.py", "flows/ändern.py", "data/corpora/mine.dvc")
    for name in (*added, "data/corpora/mine/text", "notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"in {name}\n")
    found = read_lineage(tmp_path)
    diff = found.files["uncommitted.diff"]
    assert "\n-a: 1\n+a: 2  # http://host\n" in diff
    assert "secret" not in "".join(found.files.values())
    assert [name for name in added if f"\n+in {name}\n" in diff] == [*added]
    assert diff.count("+in ") == len(added)
    assert "\x1b" not in diff
