import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.params import set_value
from pipeline.workspace import hold


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A graph of one stage, whose section of params.yaml is missing."""
    (tmp_path / "dvc.yaml").write_text("stages: {ingest: {cmd: python -m pipeline ingest}}\n")
    (tmp_path / "params.yaml").write_text("corpra: {}\n")
    return tmp_path


def run(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pipeline", *arguments],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
    )


MISSING = "params.yaml: section 'corpora' is missing\n  remedy: add it; did you mean 'corpra'?\n"


def test_a_problem_is_one_message_and_exit_code_1(workspace: Path) -> None:
    done = run(workspace, "ingest")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", MISSING)
    assert json.loads((workspace / "state/problem.json").read_text()) == {
        "stage": "ingest",
        "kind": "Problem",
        "message": MISSING.strip(),
        "retry": False,
    }


def test_by_hand_the_message_ends_with_how_former_results_come_back(workspace: Path) -> None:
    (workspace / "dvc.lock").write_text("stages: {ingest: {cmd: python -m pipeline ingest}}\n")
    done = run(workspace, "ingest", DVC_STAGE="ingest")
    hint = "The former results of 'ingest' come back with: dvc checkout -f ingest\n"
    assert done.stderr == MISSING + hint


def test_a_stage_that_finds_the_workspace_taken_leaves_the_others_problem(workspace: Path) -> None:
    state = workspace / "state"
    with hold(state, "seqline run"):
        (state / "problem.json").write_text("of another")
        done = run(workspace, "ingest", SEQLINE_LOCK="", SEQLINE_FLOW="1")
    assert done.returncode == 1
    assert "another run works in this workspace" in done.stderr
    assert (state / "problem.json").read_text() == "of another"


def test_after_an_interrupt_by_hand_too(workspace: Path) -> None:
    (workspace / "dvc.lock").write_text("stages: {ingest: {cmd: python -m pipeline ingest}}\n")
    with hold(workspace / "state", "a flow"), hold(workspace / "state", "its stage"):
        stage = subprocess.Popen(
            [sys.executable, "-m", "pipeline", "ingest"],
            cwd=workspace,
            env={**os.environ, "DVC_STAGE": "ingest"},
            stderr=subprocess.PIPE,
            text=True,
        )
        awaits_the_lock(stage.pid)
        stage.send_signal(signal.SIGINT)
        _, said = stage.communicate(timeout=30)
    assert stage.returncode == 130
    assert said == "The former results of 'ingest' come back with: dvc checkout -f ingest\n"


def awaits_the_lock(process: int) -> None:
    end = time.monotonic() + 60
    while not any(name.endswith("stage.lock") for name in opened(process)):
        assert time.monotonic() < end
        time.sleep(0.05)


def opened(process: int) -> Iterator[str]:
    for link in Path(f"/proc/{process}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed in between
            yield str(link.readlink())


def test_under_a_flow_the_flow_tells_the_problem(workspace: Path) -> None:
    done = run(workspace, "ingest", SEQLINE_FLOW="1")
    assert (done.returncode, done.stderr) == (1, "")
    assert (workspace / "state/problem.json").is_file()


def test_only_training_has_a_profile(workspace: Path) -> None:
    done = run(workspace, "ingest", "--profile")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == ("no profile of 'ingest'\n  remedy: python -m pipeline train --profile\n")
    assert not (workspace / "state/problem.json").exists()


def test_checking_runs_nothing_and_leaves_nothing(workspace: Path) -> None:
    done = run(workspace, "--check")
    assert (done.returncode, done.stderr) == (1, MISSING)
    assert not (workspace / "state").exists()


def test_checking_holds_sections_against_each_other(root: Path, tmp_path: Path) -> None:
    shutil.copy(root / "dvc.yaml", tmp_path)
    params = (root / "params.yaml").read_text()
    (tmp_path / "params.yaml").write_text(set_value(params, "pieces.shared", "false"))
    done = run(tmp_path, "--check")
    assert done.returncode == 1
    assert done.stderr.startswith("params.yaml, model.embeddings: one table for source and target")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [((), "name one stage"), (("ingst",), "one of: ingest"), (("a", "b"), "name one stage")],
)
def test_a_stage_has_to_be_named(workspace: Path, arguments: tuple[str, ...], word: str) -> None:
    done = run(workspace, *arguments)
    assert done.returncode == 1
    assert word in done.stderr.replace("did you mean 'ingest'?", "one of: ingest")


def test_debug_shows_the_traceback(workspace: Path) -> None:
    assert "Traceback" in run(workspace, "ingest", "--debug").stderr
