"""`seqline status`: what is here."""

from pathlib import Path

import pytest

from flows.commands.status import status
from pipeline.problems import Problem
from pipeline.workspace import read_problem, write_problem


@pytest.fixture
def ready(toy: Path, server: object) -> Path:
    """The toy, with a registry beside it."""
    params = toy / "params.yaml"
    params.write_text(params.read_text() + "registry: {model: tiny}\ngate: {}\n")
    (toy / "machine.yaml").write_text(f"mlflow_uri: {server.uri}\n")  # type: ignore[attr-defined]
    return toy


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    status()
    return capsys.readouterr().out.splitlines()


def test_a_problem_is_shown_until_its_stage_is_not_stale_any_more(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from flows.prepare import prepare
    from pipeline.machine import Machine

    before = (ready / "two.py").read_text()
    (ready / "two.py").write_text("raise ValueError\n")
    write_problem(ready / "state", "two", Problem("this is wrong"))
    assert "problem:    two: this is wrong" in shown(capsys)
    (ready / "two.py").write_text(before)
    assert shown(capsys)[0] == "stale:      nothing"
    assert not any("this is wrong" in line for line in shown(capsys))
    prepare(Machine())
    assert read_problem(ready / "state") is None


def test_a_stage_that_was_killed_is_shown_and_a_broken_mark_is_not(
    ready: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mark = ready / "state" / "flow" / "running.json"
    mark.parent.mkdir(parents=True)
    mark.write_text('{"stage": "two"}')
    assert "open:       two runs, or was killed" in shown(capsys)
    mark.write_text("{")
    assert not any(line.startswith("open:") for line in shown(capsys))
