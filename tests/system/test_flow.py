"""The flow on a small workspace: what runs, what is said, what comes back after a failure."""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

STAGES = ["ingest", "clean", "pieces", "encode", "train", "decode", "evaluate", "package"]
AFTER = ["register", "gate", "promote", "report"]


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def copy(made, tmp_path_factory):
    """A copy of the workspace after its first run; the tests of this file follow each other."""
    folder = tmp_path_factory.mktemp("flow") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    return folder


@pytest.mark.system
def test_a_run_leaves_a_champion_a_report_and_prefects_records(made, call, task_runs):
    assert task_runs(made) == dict.fromkeys(
        [*STAGES[:2], "drift", *STAGES[2:], *AFTER], ("Completed", 1)
    )
    with sqlite3.connect(made / "state/prefect/prefect.db") as database:
        keys = {key for (key,) in database.execute("select key from artifact")}
    database.close()
    assert keys == {"metrics", "ledger", "bill", "links"}
    assert (made / "report/report.html").read_text().startswith("<!DOCTYPE html>")
    assert "version 1 of sample-de-en" in call(made, "seqline", "status")
    lines = (made / "state/flow/times.jsonl").read_text().splitlines()
    times = [json.loads(line) for line in lines]
    assert [one["stage"] for one in times] == STAGES
    assert times[4]["steps"] == 60


@pytest.mark.system
def test_the_training_is_in_mlflow(made):
    with sqlite3.connect(made / "registry/mlflow.db") as database:
        steps = database.execute("select distinct step from metrics where key = 'valid.loss'")
        assert {step for (step,) in steps} == {30, 60}
    database.close()


@pytest.mark.system
def test_a_second_run_says_that_nothing_is_stale_and_starts_no_server(copy, call):
    before = files(copy / "state/prefect")
    began = time.monotonic()
    said = call(copy, "seqline", "run")
    assert time.monotonic() - began < 120  # seconds; far less on a free machine
    assert said == "nothing is stale: version 1 of sample-de-en holds these results\n"
    assert files(copy / "state/prefect") == before


@pytest.mark.system
def test_a_parameter_that_is_wrong_costs_nothing(copy, call):
    before = (files(copy / "artifacts"), (copy / "params.yaml").read_bytes())
    for assignment, word in {
        "decoding.search.beam_sise=3": "unknown parameter 'beam_sise' of kind 'beam'",
        "training.steps=0": "training.steps",
        "decodng.n_best=3": "did you mean 'decoding'?",
    }.items():
        said = call(copy, "seqline", "run", "-S", assignment, code=1)
        assert word in said
        assert "Traceback" not in said
    assert (files(copy / "artifacts"), (copy / "params.yaml").read_bytes()) == before


LOST_ONCE = """
    if not Path("state/lost").exists():
        Path("state/lost").touch()
        raise Problem("a worker was lost", retry=True)
"""
WRONG = (
    '\n    raise Problem("this is wrong", where="params.yaml, decoding", remedy="put it right")\n'
)


@pytest.fixture
def broken(copy):
    """Put code at the start of a stage's `run`; at the end the stages are as they were."""
    before = {path: path.read_text() for path in (copy / "pipeline/stages").glob("*.py")}

    def put(stage, code):
        path = copy / f"pipeline/stages/{stage}.py"
        head, rest = before[path].split("def run(", 1)
        signature, body = rest.split('"""\n', 1) if '"""\n' in rest else rest.split("\n", 1)
        imports = "\nfrom pipeline.problems import Problem\n\n\n"
        path.write_text(f'{head.rstrip()}{imports}def run({signature}"""\n{code}{body}')

    def mend():
        for path, text in before.items():
            path.write_text(text)

    put.mend = mend
    yield put
    mend()


@pytest.mark.system
def test_a_failed_run_tried_what_may_succeed_again_and_trained_nothing_for_a_comment(
    copy, call, broken, task_runs
):
    key = json.loads((copy / "artifacts/model/run.json").read_text())["run_key"]
    package = files(copy / "artifacts/package")
    shutil.rmtree(copy / "state" / key)
    module = copy / "pipeline/training/loop.py"
    before = module.read_text()
    module.write_text(before + "# a comment\n")
    broken("evaluate", LOST_ONCE)
    broken("package", WRONG)
    said = call(copy, "seqline", "run", code=1)
    module.write_text(before)

    # Training finds its finished run again, from its results alone.
    assert "training's state was restored from its results" in said
    assert f"run {key} is finished: its result is used" in said
    assert "step 1 of" not in said

    # What is wrong is said once, and the results of before come back.
    assert said.count("this is wrong") == 1
    assert "remedy: put it right" in said
    assert "Traceback" not in said
    assert "the former results of 'package' are back" in said
    assert files(copy / "artifacts/package") == package
    runs = task_runs(copy)
    assert runs["ingest"] == ("Skipped", 1)
    assert runs["train"] == ("Completed", 1)
    assert runs["evaluate"] == ("Completed", 2)
    assert runs["package"] == ("Failed", 1)
    assert "register" not in runs


SLOW = """
    import time
    Path("state/slow").touch()
    time.sleep(600)
"""


def started_here(folder):
    """The programs at work that a flow of this workspace started, and itself."""
    home = f"PREFECT_HOME={folder}/state/prefect".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if home in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes())
        except OSError:  # not ours, or gone
            continue
    return found


def wait_until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.2)


@pytest.mark.system
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 130), (signal.SIGKILL, -9)])
def test_a_run_that_is_stopped_leaves_no_process_and_its_results_come_back(
    copy, call, broken, signum, code
):
    scores = files(copy / "artifacts/scores")
    broken("evaluate", SLOW)
    command = [sys.executable, "-m", "flows.cli", "run"]
    run = subprocess.Popen(command, cwd=copy, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until((copy / "state/slow").exists)
        assert not (copy / "artifacts/scores").exists()
        assert len(started_here(copy)) >= 3  # the server of Prefect, dvc, the stage
        run.send_signal(signum)
        assert run.wait(60) == code
    finally:
        run.kill()
    wait_until(lambda: not started_here(copy))
    broken.mend()
    (copy / "state/slow").unlink()
    call(copy, "seqline", "register")
    assert files(copy / "artifacts/scores") == scores


@pytest.mark.system
def test_two_runs_do_not_share_a_workspace(copy, call):
    import fcntl

    with (copy / "state/workspace.lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        said = call(copy, "seqline", "run", code=1)
    assert "another run works in this workspace" in said


@pytest.mark.system
@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("mlflow_uri", "http://127.0.0.1:9", "no MLflow server answers"),
        ("prefect_api_url", "http://127.0.0.1:9/api", "no Prefect server answers"),
        ("ray_address", "127.0.0.1:9", "no Ray cluster answers"),
        ("state", "/proc/self/state", "cannot write"),
    ],
)
def test_a_world_that_is_broken_is_found_before_anything_is_deleted(copy, call, key, value, word):
    machine = copy / "machine.yaml"
    params = copy / "params.yaml"
    before = machine.read_text(), params.read_text(), files(copy / "artifacts")
    machine.write_text(yaml.safe_dump({**yaml.safe_load(before[0]), key: value}))
    said = call(copy, "seqline", "run", "-S", "training.seed=2", code=1)
    machine.write_text(before[0])
    assert word in said
    assert value in said
    assert "Traceback" not in said
    assert (params.read_text(), files(copy / "artifacts")) == before[1:]


@pytest.mark.system
def test_use_refuses_to_lose_edits(copy, call):
    params = copy / "params.yaml"
    before = params.read_text()
    params.write_text(before + "# an edit\n")
    assert "would be lost" in call(copy, "seqline", "use", "multi30k-de-en", code=1)
    assert params.read_text() == before + "# an edit\n"
    params.write_text(before)
    assert "did you mean" in call(copy, "seqline", "use", "sample-de-em", code=1)
