import subprocess
from pathlib import Path

import pytest

from flows.edits import track_changes, track_folders, uncommitted
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
