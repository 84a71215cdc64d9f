import os
import sys
from pathlib import Path

import pytest

from flows import child
from pipeline import cluster


def test_a_program_has_longer_than_training_needs_for_its_last_checkpoint() -> None:
    assert child.GRACE_SECONDS > cluster.GRACE_SECONDS


def test_lines_are_handed_on_as_they_come_and_the_exit_code_at_the_end(tmp_path: Path) -> None:
    heard = tmp_path / "heard"  # the program says b only when its a was heard
    code = "import pathlib, sys, time; print('a')\n"
    code += "while not pathlib.Path(sys.argv[1]).exists(): time.sleep(0.01)\n"
    code += "print('b'); raise SystemExit(3)"
    lines: list[str] = []

    def hear(line: str) -> None:
        lines.append(line)
        heard.touch()

    assert child.run([sys.executable, "-c", code, str(heard)], hear) == 3
    assert lines == ["a", "b"]


def test_python_and_dvc_are_those_of_this_environment() -> None:
    lines: list[str] = []
    child.run(["python", "-c", "import sys; print(sys.prefix)"], lines.append)
    assert lines == [sys.prefix]


def test_what_stops_us_stops_the_program_first() -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"

    def interrupt(line: str) -> None:
        raise KeyboardInterrupt(line)

    with pytest.raises(KeyboardInterrupt) as caught:
        child.run([sys.executable, "-c", code], interrupt)
    with pytest.raises(ProcessLookupError):
        os.kill(int(str(caught.value)), 0)


def test_a_program_that_ignores_ctrl_c_is_killed() -> None:
    code = "import signal, time; signal.signal(2, signal.SIG_IGN); print('on', flush=True)\n"
    process = child.start([sys.executable, "-c", code + "time.sleep(600)"])
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    child.stop(process, grace=0.5)
    assert process.returncode == -9
