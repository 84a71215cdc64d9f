"""The schedule against a real Prefect server: `seqline schedule --cron …` and `--interval …`."""

import contextlib
import json
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

import pytest
import yaml

from flows import child, server
from flows.edits import refuse
from pipeline.problems import Problem


@pytest.fixture(scope="module")
def api(made, tmp_path_factory):
    """The address of a server as `prefect server start` starts it.

    It knows of the run that made the workspace: a new database takes ten seconds to make.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    home = tmp_path_factory.mktemp("server")
    with (
        contextlib.closing(sqlite3.connect(made / "state/prefect/prefect.db")) as there,
        contextlib.closing(sqlite3.connect(home / "prefect.db")) as here,
    ):
        there.backup(here)
    settings = {"PREFECT_HOME": str(home), "PREFECT_SERVER_ANALYTICS_ENABLED": "false"}
    command = ["prefect", "server", "start", "--no-ui", "--host", "127.0.0.1", "--port", str(port)]
    with (home / "log").open("w") as log:
        process = child.start(command, extra=settings, output=log)
    try:
        wait_until(lambda: answers(address))
        yield address
    finally:
        process.terminate()
        child.stop(process, grace=10)


@pytest.fixture(scope="module")
def workspace(made, call, api, tmp_path_factory):
    """A copy of the workspace after its run, which names that server."""
    folder = tmp_path_factory.mktemp("schedule") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    machine = yaml.safe_load((folder / "machine.yaml").read_text()) | {"prefect_api_url": api}
    (folder / "machine.yaml").write_text(yaml.safe_dump(machine))
    call(folder, "git", "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qam", "server")
    return folder


def answers(address):
    try:
        server.check(address)
    except Problem:
        return False
    return True


def ask(api, path, body):
    request = urllib.request.Request(
        f"{api}/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def ended_runs(api):
    """The scheduled runs that ended, the earliest first: (state's name, its message)."""
    found = ask(api, "flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "limit": 50})
    return [
        (run["state"]["name"], run["state"]["message"])
        for run in found
        if run["deployment_id"] and run["state_type"] in ("COMPLETED", "FAILED", "CRASHED")
    ]


@contextlib.contextmanager
def scheduled(folder, *arguments):
    """`seqline schedule …` at work; stopped by SIGTERM at the end."""
    environment = {**child.environment(), "PREFECT_RUNNER_POLL_FREQUENCY": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "flows.cli", "schedule", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=30)
        process.kill()
        process.communicate()


def wait_until(true, seconds=180):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.5)


def versions(folder):
    with sqlite3.connect(folder / "registry/mlflow.db") as database:
        count = database.execute("select count(*) from model_versions").fetchone()[0]
    database.close()
    return count


@pytest.mark.system
def test_an_interval_fires_and_registers_nothing_where_nothing_changed(workspace, api):
    before = versions(workspace)
    with scheduled(workspace, "--interval", "5"):
        wait_until(lambda: len(ended_runs(api)) >= 2)
    unchanged = ("Unchanged", "nothing changed: version 1 holds these results")
    assert ended_runs(api)[:2] == [unchanged, unchanged]
    assert versions(workspace) == before == 1


@pytest.mark.system
def test_a_scheduled_run_refuses_edits_but_not_those_of_a_run(workspace, call, monkeypatch):
    monkeypatch.chdir(workspace)
    with (workspace / "dvc.lock").open("a") as file:
        file.write("\n")
    (workspace / "notes.txt").write_text("not tracked\n")
    refuse()
    with (workspace / "params.yaml").open("a") as file:
        file.write("# an edit\n")
    with pytest.raises(Problem, match="edits that are not committed") as caught:
        refuse()
    assert caught.value.value == "params.yaml"
    call(workspace, "git", "checkout", "-q", "params.yaml", "dvc.lock")
    (workspace / "pipeline/new.py").touch()
    with pytest.raises(Problem, match="edits that are not committed"):
        refuse()
    (workspace / "pipeline/new.py").unlink()


@pytest.mark.system
def test_a_cron_schedule_is_known_to_the_server(workspace, api):
    with scheduled(workspace, "--cron", "0 3 * * *"):
        wait_until(
            lambda: any(
                one["schedule"].get("cron") == "0 3 * * *"
                for deployment in ask(api, "deployments/filter", {})
                for one in deployment["schedules"]
            )
        )


@pytest.mark.system
def test_a_schedule_needs_a_time_and_a_server(made, call):
    assert "--cron and --interval" in call(made, "seqline", "schedule", code=1)
    said = call(made, "seqline", "schedule", "--interval", "5", code=1)
    assert "a schedule needs a Prefect server that stays" in said
