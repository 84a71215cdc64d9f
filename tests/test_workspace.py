import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.problems import Problem
from pipeline.workspace import (
    LOCK_TOKEN,
    clear_problem,
    hold,
    read_problem,
    root,
    write_problem,
)

HOLD = """\
import sys, time
from pathlib import Path
from pipeline.workspace import hold
with hold(Path(sys.argv[1]), "seqline test"):
    print("held", flush=True)
    time.sleep(600)
"""


def holder(state: Path, token: str = "") -> "subprocess.Popen[str]":
    environment = {**os.environ, LOCK_TOKEN: token}
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(state)], stdout=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def ended(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.communicate()


def test_a_second_holder_is_told_who_is_first(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        with pytest.raises(Problem) as caught, hold(tmp_path, "second"):
            pass
        assert caught.value.what == "another run works in this workspace"
        assert str(caught.value.value).startswith(f"seqline test (process {first.pid}), since ")
    finally:
        ended(first)


def test_the_lock_of_a_killed_holder_is_free(tmp_path: Path) -> None:
    ended(holder(tmp_path))
    with hold(tmp_path, "next"):
        pass


def test_what_is_started_under_the_lock_works_under_it_and_one_after_the_other(
    tmp_path: Path,
) -> None:
    with hold(tmp_path, "flow"):
        ended(holder(tmp_path, os.environ[LOCK_TOKEN]))
        second = holder(tmp_path, os.environ[LOCK_TOKEN])
        ended(second)
    assert LOCK_TOKEN not in os.environ


def test_a_token_of_another_lock_opens_nothing(tmp_path: Path) -> None:
    first = holder(tmp_path)
    try:
        os.environ[LOCK_TOKEN] = "other"
        with pytest.raises(Problem), hold(tmp_path, "second"):
            pass
    finally:
        del os.environ[LOCK_TOKEN]
        ended(first)


def test_a_state_folder_that_cannot_be_made_is_a_problem() -> None:
    with pytest.raises(Problem, match="cannot write"), hold(Path("/proc/self/state"), "x"):
        pass


def test_a_problem_is_kept_with_whether_retrying_helps(tmp_path: Path) -> None:
    assert read_problem(tmp_path) is None
    assert write_problem(tmp_path, "train", Problem("a worker was lost", retry=True))
    assert read_problem(tmp_path) == {
        "stage": "train",
        "kind": "Problem",
        "message": "a worker was lost",
        "retry": True,
    }
    assert write_problem(tmp_path, "train", ValueError("a bug"))
    assert read_problem(tmp_path) == {
        "stage": "train",
        "kind": "ValueError",
        "message": "a bug",
        "retry": False,
    }
    clear_problem(tmp_path)
    assert read_problem(tmp_path) is None


def test_a_message_with_half_a_surrogate_pair_is_kept_too(tmp_path: Path) -> None:
    assert write_problem(tmp_path, "ingest", Problem("did you mean '\ud800'?"))
    left = read_problem(tmp_path)
    assert left is not None and left["message"] == "did you mean '\ud800'?"


def test_a_disk_that_takes_no_problem_does_not_hide_it() -> None:
    assert not write_problem(Path("/proc/self/state"), "train", ValueError())


def test_the_workspace_is_found_from_below(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (tmp_path / "dvc.yaml").touch()
    (tmp_path / "params.yaml").touch()
    assert root(below) == tmp_path


def test_a_process_dies_with_its_parent(tmp_path: Path, alive: Callable[[int], bool]) -> None:
    child = "from pipeline.workspace import die_with_caller\ndie_with_caller()\n"
    child += "import time, os; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"
    (tmp_path / "child.py").write_text(child)
    parent = "import subprocess, sys\n"
    parent += "subprocess.run(['sh', '-c', f'{sys.executable} child.py; true'])"
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=tmp_path)
    pid = tmp_path / "pid"
    end = time.monotonic() + 60
    while not (pid.exists() and pid.read_text()):
        assert time.monotonic() < end
        time.sleep(0.05)
    stage = int(pid.read_text())
    process.kill()
    process.wait()
    end = time.monotonic() + 10
    while alive(stage):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_first_process_of_a_container_has_no_parent_to_look_at() -> None:
    program = "import os\nos.getppid = lambda: 0\n"  # as in a container, and below `docker exec`
    program += "from pipeline.workspace import die_with_caller\ndie_with_caller()\nprint('alive')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("alive\n", "")
