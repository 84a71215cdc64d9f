import subprocess
from pathlib import Path

import pytest

from flows.edits import refuse, track_changes, track_folders, uncommitted
from flows.graph import read_graph
from pipeline.problems import Problem

PARAMS = "a: {times: 2}\nb: {unit: line}\ncorpora: {folder: data/corpora/mine}\n"


def test_a_new_corpus_is_put_under_dvc_and_said_once(toy: Path) -> None:
    (toy / "params.yaml").write_text(PARAMS)
    (toy / "data/corpora/mine").mkdir(parents=True)
    (toy / "data/corpora/mine/text").write_text("hello\n")
    said: list[str] = []
    track_folders(said.append)
    track_folders(said.append)
    assert said == [
        "data/corpora/mine is under DVC now (dvc add): commit data/corpora/mine.dvc",
    ]
    assert "wdir" not in (toy / "data/corpora/mine.dvc").read_text()


def test_a_changed_corpus_is_kept_by_dvc_and_one_that_no_stage_reads_is_left(toy: Path) -> None:
    (toy / "data/in/text").write_text("changed\n")
    said: list[str] = []
    track_changes(read_graph(toy), said.append)
    track_changes(read_graph(toy), said.append)
    assert said == ["data/in changed (dvc add): commit data/in.dvc"]


def test_a_folder_in_git_is_left_alone(toy: Path) -> None:
    (toy / "data/none").mkdir()
    (toy / "data/none/.gitkeep").touch()
    subprocess.run(["git", "add", "data/none/.gitkeep"], check=True)
    (toy / "params.yaml").write_text(PARAMS.replace("corpora/mine", "none"))
    track_folders(pytest.fail)
    assert not (toy / "data/none.dvc").exists()


def test_outside_of_git_edits_cannot_be_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(Problem, match="git cannot tell"):
        uncommitted()
    (tmp_path / "params.yaml").write_text("corpora: {folder: new}\ntraining: {start: new}\n")
    (tmp_path / "new").mkdir()
    with pytest.raises(Problem, match="git cannot tell"):  # which is no "git does not hold it"
        track_folders(pytest.fail)


def git(*arguments: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)


def test_edits_are_told_by_path_whatever_it_is_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    for name in ("größe.yaml", "with space", "old"):
        (tmp_path / name).write_text(f"{name}\n" * 9)
    git("add", ".")
    git("commit", "-qm", "One")
    assert uncommitted() == []
    (tmp_path / "größe.yaml").write_text("other\n")
    (tmp_path / "with space").unlink()
    (tmp_path / 'new "name"').touch()
    git("mv", "old", "moved")
    assert sorted(uncommitted()) == [
        (" D", "with space"),
        (" M", "größe.yaml"),
        ("??", 'new "name"'),
        ("R ", "moved"),
        ("R ", "old"),
    ]


@pytest.mark.parametrize(
    ("path", "refused"),
    [
        ("data/start.dvc", True),
        ("data/corpora/mine.dvc", False),
        ("data/corpora/.gitignore", False),
        ("data/none/text", True),
        ("pipeline/größe.py", True),
        ("notes.txt", False),
        ("dvc.lock", False),
    ],
)
def test_a_scheduled_run_refuses_untracked_files_that_change_what_stages_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, refused: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    git("init", "-q")
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    if not refused:
        refuse()
        return
    with pytest.raises(Problem, match="edits that are not committed") as caught:
        refuse()
    assert caught.value.value == path
