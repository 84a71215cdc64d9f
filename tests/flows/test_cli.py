import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.cli import app

COMMANDS = [
    "use", "run", "plan", "status", "data", "predict", "score", "register", "gate", "promote",
    "rollback", "history", "report", "schedule", "start-from", "gc",
]  # fmt: skip
HEAVY = {"torch", "mlflow", "prefect", "ray", "dvc", "sacrebleu", "pyarrow", "numpy"}


def seqline(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "flows.cli", *arguments], cwd=cwd, capture_output=True, text=True
    )


def test_help_names_every_command_and_imports_nothing_heavy(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "flows.cli", "--help"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    for command in COMMANDS:
        assert f"\n  {command} " in done.stdout
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines()}
    assert not HEAVY & imported


def test_help_takes_less_than_half_a_second_of_work(tmp_path: Path) -> None:
    code = "import os, sys; sys.argv[1:] = ['--help']; import flows.cli as c\n"
    code += "try: c.main()\nexcept SystemExit: sys.stderr.write(str(sum(os.times()[:2])))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True)
    assert float(done.stderr) < 0.5


def test_each_command_has_help() -> None:
    for command in COMMANDS:
        assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0


def test_outside_of_a_workspace_there_is_one_message_and_no_traceback(tmp_path: Path) -> None:
    done = seqline("plan", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"{tmp_path}: no workspace here: neither this folder nor one above it holds dvc.yaml and "
        "params.yaml\n  remedy: change into a clone of the project\n"
    )


def test_debug_adds_the_traceback(tmp_path: Path) -> None:
    done = seqline("plan", "--debug", cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("arguments", [["nothing"], ["use"], ["run", "--what"]])
def test_a_wrong_command_line_ends_with_2(tmp_path: Path, arguments: list[str]) -> None:
    done = seqline(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
