"""MLflow loads and serves a registered package, with no checkout in reach."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.outputs import Output, write_outputs
from pipeline.package.load import load
from pipeline.records import Hypothesis
from pipeline.registry.lineage import Lineage
from pipeline.registry.register import register
from pipeline.registry.server import Registry, connect

TEXTS = ["Ein Hund lief.", "Das Kind aß."]
PREDICT = """
import json, sys

class NoCheckout:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("pipeline", "flows"):
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, NoCheckout())
import mlflow
mlflow.set_registry_uri(sys.argv[1])
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/tiny@challenger")
texts = json.loads(sys.argv[2])
print(json.dumps([model.predict(texts), model.predict(texts, params={"n_best": 2})]))
"""


@pytest.fixture(scope="module")
def registered(
    package: Path, empty_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """The registry's address, and an empty folder beside it."""
    folder = tmp_path_factory.mktemp("registered")
    outs = folder / "outs"
    outs.mkdir()
    (outs / "package").symlink_to(package)
    write_json(outs / "model" / "run.json", {"run_key": "key"})
    write_json(outs / "metrics.json", {})
    row = Output(
        "t:0", "t", "t:0", "Ein Hund.", ("A dog.",), "de", "en", (Hypothesis("", 0, 0, 1),)
    )
    write_outputs(outs / "hypotheses" / "t.jsonl", [row])
    (folder / "registry").mkdir()
    shutil.copy(empty_database, folder / "registry" / "mlflow.db")
    uri = f"sqlite:///{folder}/registry/mlflow.db"
    machine = Machine(mlflow_uri=uri, state=folder / "state")
    register(connect(Registry(model="tiny"), machine), outs, folder / "state", Lineage())
    (folder / "empty").mkdir()
    return uri, folder / "empty"


def environment(uri: str) -> dict[str, str]:
    return {
        "HOME": os.environ.get("HOME", "/"),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "OMP_NUM_THREADS": "1",
    }


def expected(package: Path) -> list[list[str]]:
    return [[one.text for one in n_best] for n_best in load(package).predict(TEXTS, n_best=2)]


def test_the_registered_model_predicts_in_an_empty_folder_without_the_checkout(registered, package):
    uri, folder = registered
    command = [sys.executable, "-I", "-c", PREDICT, uri, json.dumps(TEXTS)]
    done = subprocess.run(
        command, cwd=folder, env=environment(uri), capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    best, n_best = json.loads(done.stdout)
    assert n_best == expected(package)
    assert best == [one[0] for one in n_best]
    assert not list(folder.iterdir())


@pytest.mark.system
def test_mlflow_serves_the_registered_model_and_names_bad_input(registered, package):
    uri, folder = registered
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = ["mlflow", "models", "serve", "-m", "models:/tiny@challenger", "-p", str(port)]
    command += ["--env-manager", "local", "-h", "127.0.0.1"]
    server = subprocess.Popen(
        command,
        cwd=folder,
        env=environment(uri),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server)
        ask = f"http://127.0.0.1:{port}/invocations"
        assert post(ask, {"inputs": TEXTS}) == (
            200,
            {"predictions": [one[0] for one in expected(package)]},
        )
        code, answer = post(ask, {"inputs": TEXTS, "params": {"n_best": 2}})
        assert (code, answer) == (200, {"predictions": expected(package)})
        code, answer = post(ask, {"inputs": TEXTS, "params": {"n_best": 9}})
        assert code == 400
        assert "n_best is 9, but the search finds 3" in answer["message"]
        code, answer = post(ask, {"inputs": ["gut", 2]})
        assert code == 400
        assert "input 1: expected text" in answer["message"]
        code, answer = post(ask, {"inputs": ["gut", None]})
        assert code == 400
        assert "input 1: expected text" in answer["message"]
        table = {"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}}
        assert post(ask, table)[0] == 200
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(30)
        assert server.stdout is not None
        server.stdout.close()


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, server.stdout and server.stdout.read().decode()
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=1):
            return
        time.sleep(0.2)
    raise AssertionError(f"{address} does not answer")


def post(address: str, content: object) -> tuple[int, dict]:
    data = json.dumps(content).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.loads(error.read())
