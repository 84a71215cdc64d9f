"""The run's own Prefect server: whoever fails before it answers does not wait for its start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import child, server
from pipeline.problems import Problem


@pytest.mark.parametrize(("answered", "grace"), [(False, 0.0), (True, 10.0)])
def test_a_server_that_does_not_answer_yet_is_ended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answered: bool, grace: float
) -> None:
    started: list[subprocess.Popen[str]] = []
    graces: list[float] = []
    stop = child.stop

    def start(log: Path, port: int) -> subprocess.Popen[str]:
        started.append(child.start([sys.executable, "-c", "import time; time.sleep(600)"]))
        return started[0]

    def stopped(process: subprocess.Popen[str], grace: float) -> None:
        graces.append(grace)
        stop(process, grace)

    monkeypatch.setattr(server, "settle", lambda state: None)
    monkeypatch.setattr(server, "_start", start)
    monkeypatch.setattr(server, "_healthy", lambda url: True)
    monkeypatch.setattr(child, "stop", stopped)
    with pytest.raises(Problem), server.serving(tmp_path, None) as awaited:
        if answered:
            awaited()
        assert os.environ["PREFECT_API_URL"].startswith("http://127.0.0.1:")
        raise Problem("a parameter is wrong")
    assert graces == [grace]
    assert started[0].poll() is not None
    assert "PREFECT_API_URL" not in os.environ
