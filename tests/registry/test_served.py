"""The registry over HTTP: everything that works on files works on a server's store too."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.registry.gate import Gate, judge
from pipeline.registry.lineage import Lineage
from pipeline.registry.links import links
from pipeline.registry.register import register
from pipeline.registry.runs import follow_current, run_of, watch
from pipeline.registry.server import Registry, connect
from pipeline.registry.verdicts import verdicts
from pipeline.registry.versions import download, every
from pipeline.training.progress import ProgressFile


@pytest.fixture
def served(machine: Machine, tmp_path: Path):
    """Its address, and what starts it: a real MLflow server on loopback that keeps artifacts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--workers", "1"]
    command += ["--port", str(port), "--backend-store-uri", machine.mlflow_uri]
    command += ["--artifacts-destination", str(tmp_path / "store")]
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    environment, started = {**os.environ, **quiet}, []

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / "server.log").open("a") as log:
            server = subprocess.Popen(
                command, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        started.append(server)
        for _ in range(600):
            assert server.poll() is None, (tmp_path / "server.log").read_text()
            url = f"http://127.0.0.1:{port}/health"
            with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=1):
                break
            time.sleep(0.2)
        return server

    yield f"http://127.0.0.1:{port}", start
    for server in started:
        end(server)


def end(server: subprocess.Popen[bytes]) -> None:
    """At once, with all its processes: asked politely, it waits for open connections."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait(30)


@pytest.mark.system
def test_registering_judging_and_downloading_work_over_http(
    served, make_outs, tmp_path: Path, monkeypatch
):
    """And what a training tells while the server is away is sent when it is back."""
    uri, start = served
    process = start()
    server = connect(Registry(model="tiny"), Machine(mlflow_uri=uri, state=tmp_path / "state"))
    outs = make_outs("one")
    made = register(server, outs, tmp_path / "state", Lineage())
    assert register(server, outs, tmp_path / "state", Lineage()).created is False
    assert [one.number for one in every(server)] == ["1"]
    folder = download(server, made)
    assert folder.is_relative_to(tmp_path / "state" / "versions")
    assert (folder / "MLmodel").read_text() == "model one\n"
    (folder / "MLmodel").write_text("altered\n")
    assert (download(server, made) / "MLmodel").read_text() == "model one\n"
    verdict = judge(server, Gate(), made, outs)
    assert verdicts(server, made) == [verdict]
    assert links(server, made)["version"] == f"{uri}/#/models/tiny/versions/1"
    end(process)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(Problem, match="MLflow does not answer") as caught:
        every(server)
    assert caught.value.retry
    state = server.state
    write_json(state / "current.json", {"run_key": "key", "folder": "state/key"})
    (state / "key").mkdir(parents=True)
    told = ProgressFile(state / "key")
    stop = threading.Event()
    stop.set()
    for step in (1, 2, 3):
        told.append(step, "train", {"loss": 4.0 - step})
        watch(server, stop, 0.01)  # as a flow does while training works
    start()
    assert follow_current(server) == 3
    history = server.client.get_metric_history(run_of(server, "key"), "train.loss")
    assert [(point.step, point.value) for point in history] == [(1, 3.0), (2, 2.0), (3, 1.0)]
