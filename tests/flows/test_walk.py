import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from flows.walk import Place, heal, reproduce
from pipeline.problems import Problem

Work = tuple[subprocess.Popen[str], int]


def outs(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted((folder / "out").rglob("*"))
        if path.is_file() and path.name != ".gitignore"
    }


FORMER = {
    "out/one.json": '{"times": 2}',
    "out/one/data.txt": "hello\nhello\n",
    "out/two.txt": "2\n",
}


def test_lines_of_the_stage_are_handed_on_and_dvcs_own_are_not(toy: Path) -> None:
    (toy / "params.yaml").write_text("a: {times: 3}\nb: {unit: line}\n")
    lines: list[str] = []
    assert reproduce(Place(toy, toy / "state"), "one", lines.append) == "ran"
    assert lines == ["one is done"]


def test_after_a_failed_stage_its_former_results_are_back(toy: Path) -> None:
    (toy / "params.yaml").write_text("a: {times: 3, fail: true}\nb: {unit: line}\n")
    lines: list[str] = []
    with pytest.raises(Problem) as caught:
        reproduce(Place(toy, toy / "state"), "one", lines.append)
    assert "stage 'one' failed" in str(caught.value)
    assert "exited with 3" in str(caught.value)
    assert not caught.value.retry
    assert lines == ["one is done", "the former results of 'one' are back"]
    assert outs(toy) == FORMER


def test_a_missing_dependency_costs_no_results(toy: Path) -> None:
    (toy / "two.py").unlink()
    with pytest.raises(Problem, match=r"two\.py"):
        reproduce(Place(toy, toy / "state"), "two", print)
    assert outs(toy) == FORMER


def test_word_of_the_stage_is_the_message_and_says_if_retrying_helps(toy: Path) -> None:
    (toy / "one.py").write_text(
        "from pathlib import Path\n"
        "from pipeline.problems import Problem\n"
        "from pipeline.workspace import write_problem\n"
        "write_problem(Path('state'), 'one', Problem('a worker was lost', retry=True))\n"
        "raise SystemExit(1)\n"
    )
    with pytest.raises(Problem, match="stage 'one' failed: a worker was lost") as caught:
        reproduce(Place(toy, toy / "state"), "one", print)
    assert caught.value.retry
    assert outs(toy) == FORMER


@pytest.mark.parametrize("content", ["", "{", "[]", '{"other": 1}', "\xff"])
def test_a_mark_that_cannot_be_read_is_taken_away(toy: Path, content: str) -> None:
    place = Place(toy, toy / "state")
    place.mark.parent.mkdir(parents=True)
    place.mark.write_bytes(content.encode("latin-1"))
    assert place.open_stage() is None
    heal(place, pytest.fail)
    assert not place.mark.exists()


def test_a_mark_that_cannot_be_written_is_a_problem_before_anything_is_deleted(toy: Path) -> None:
    (toy / "state").write_text("a file")
    with pytest.raises(Problem, match="cannot write"):
        reproduce(Place(toy, toy / "state"), "one", print)
    assert outs(toy) == FORMER


SLOW = """\
import os, pathlib, time
from pipeline.workspace import die_with_caller
die_with_caller()
pathlib.Path("state/stage.pid").write_text(str(os.getpid()))
time.sleep(600)
"""
FLOW = """\
import signal
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a shell's background
from flows.walk import Place, reproduce
reproduce(Place(Path.cwd(), Path("state")), "one", print)
"""


@pytest.fixture
def at_work(toy: Path) -> Iterator[Work]:
    """A flow with a stage at work, and the stage's process; neither outlives the test."""
    (toy / "one.py").write_text(SLOW)
    flow = subprocess.Popen([sys.executable, "-c", FLOW], cwd=toy, text=True)
    try:
        pid = toy / "state" / "stage.pid"
        wait_until(lambda: pid.is_file() and pid.read_text() != "")
        yield flow, int(pid.read_text())
    finally:
        flow.kill()  # and with it, what it started
        flow.wait()


def wait_until(true: "object", seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not true():  # type: ignore[operator]
        assert time.monotonic() < end
        time.sleep(0.05)


def callers(pid: int, flow: int) -> list[int]:
    """The processes between a stage and its flow, the flow's own child last."""
    chain: list[int] = []
    while (pid := int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])) != flow:
        chain.append(pid)
    return chain


@pytest.mark.system
def test_kill_of_the_flow_ends_dvc_and_the_stage_and_the_next_command_heals(
    toy: Path, at_work: Work, alive: Callable[[int], bool]
) -> None:
    flow, stage = at_work
    chain = callers(stage, flow.pid)
    flow.kill()
    flow.wait()
    wait_until(lambda: not any(alive(one) for one in [stage, *chain]), 10)
    assert outs(toy) == {"out/two.txt": "2\n"}
    said: list[str] = []
    heal(Place(toy, toy / "state"), said.append)
    assert said == ["the former results of 'one' are back"]
    assert outs(toy) == FORMER


@pytest.mark.system
def test_kill_of_dvc_ends_the_stage_and_the_flow_heals(
    toy: Path, at_work: Work, alive: Callable[[int], bool]
) -> None:
    flow, stage = at_work
    os.kill(callers(stage, flow.pid)[-1], signal.SIGKILL)
    assert flow.wait(30) == 1
    assert not alive(stage)
    assert outs(toy) == FORMER


@pytest.mark.system
def test_interrupting_the_flow_ends_the_stage_and_heals(
    toy: Path, at_work: Work, alive: Callable[[int], bool]
) -> None:
    flow, stage = at_work
    flow.send_signal(signal.SIGINT)
    flow.wait(30)
    wait_until(lambda: not alive(stage), 5)
    assert outs(toy) == FORMER
