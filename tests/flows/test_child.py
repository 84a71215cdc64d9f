import os
import sys
import time

import pytest

from flows import child


def test_lines_are_handed_on_as_they_come_and_the_exit_code_at_the_end() -> None:
    lines: list[tuple[float, str]] = []
    code = "import time; print('a'); time.sleep(0.5); print('b'); raise SystemExit(3)"
    command = [sys.executable, "-c", code]
    assert child.run(command, lambda line: lines.append((time.monotonic(), line))) == 3
    assert [line for _, line in lines] == ["a", "b"]
    assert lines[1][0] - lines[0][0] > 0.4


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
