import shutil
from pathlib import Path

import pytest

from flows import preflight
from flows.graph import read_graph
from flows.inputs import check_dependencies, check_sections, check_versions
from flows.memory import remember_time
from flows.plan import Planned
from flows.server import check
from pipeline.machine import Machine
from pipeline.problems import Problem


def test_a_section_that_nobody_reads_is_named_with_the_near_one(toy: Path) -> None:
    (toy / "params.yaml").write_text("a: {times: 2}\nb: {}\nregistry: {}\ngat: {x: 1}\ngate: {}\n")
    with pytest.raises(Problem) as caught:
        check_sections()
    assert str(caught.value) == (
        "params.yaml, gat: unknown parameter\n  found:  {'x': 1}\n  remedy: did you mean 'gate'?"
    )


def test_a_section_that_is_missing_is_named(toy: Path) -> None:
    (toy / "params.yaml").write_text("a: {times: 2}\nregistry: {}\ngate: {}\n")
    with pytest.raises(Problem, match="section 'b' is missing"):
        check_sections()


def test_a_dependency_that_is_missing_is_named_before_anything_is_deleted(toy: Path) -> None:
    shutil.rmtree(toy / "code")
    with pytest.raises(Problem) as caught:
        check_dependencies(read_graph(toy))
    assert str(caught.value) == (
        "code: file or folder not found, which stage 'one' reads\n"
        "  remedy: put it there, or restore it: git checkout, dvc pull"
    )
    assert (toy / "out" / "one.json").exists()


def test_versions_have_to_be_those_that_are_installed(toy: Path) -> None:
    with pytest.raises(Problem, match=r"torch 1\.0 is expected, installed is \d"):
        check_versions()


def test_a_library_that_the_graph_names_has_to_be_listed(toy: Path) -> None:
    (toy / "versions.yaml").write_text("rich: 2.0\n")
    with pytest.raises(Problem, match="library 'torch' is missing"):
        check_versions()


def test_a_graph_that_dvc_cannot_read_is_a_problem(toy: Path) -> None:
    (toy / "dvc.yaml").write_text("stages:\n  one:\n    cmd: echo ${nothing.here}\n")
    with pytest.raises(Problem, match=r"nothing\.here"):
        read_graph(toy)


def test_a_full_disk_is_a_problem(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_DISK", 2**62)
    with pytest.raises(Problem, match="the disk is nearly full"):
        preflight.check_disk(Machine())


def test_a_folder_that_cannot_be_written_is_a_problem(toy: Path) -> None:
    with pytest.raises(Problem, match="cannot write"):
        preflight.check_disk(Machine(state=Path("/proc/self/state")))


def test_too_little_memory_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "LEAST_MEMORY", 2**62)
    with pytest.raises(Problem, match="too little memory"):
        preflight.check_memory()


def test_servers_that_do_not_answer_are_problems() -> None:
    nowhere = "http://127.0.0.1:9"
    for machine in (
        Machine(mlflow_uri=nowhere),
        Machine(prefect_api_url=f"{nowhere}/api"),
        Machine(ray_address="127.0.0.1:9"),
        Machine(ray_address="127.0.0.1:9a"),
    ):
        with pytest.raises(Problem, match="answers") as caught:
            preflight.check_servers(machine)
        assert "127.0.0.1:9" in str(caught.value)


def test_a_port_where_something_else_answers_is_a_problem() -> None:
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request, daemon=True).start()
        with pytest.raises(Problem, match="no Prefect server answers"):
            check(f"http://127.0.0.1:{other.server_port}/api")


def test_the_forecast_tells_stages_steps_and_time_of_earlier_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("params.yaml").write_text("training: {steps: 600}\n")
    machine = Machine()
    plan = [
        Planned("ingest", "up to date"),
        Planned("clean", "restore"),
        Planned("train", "run"),
        Planned("decode", "run if"),
    ]
    assert preflight.forecast(machine, plan) == (
        "2 of 4 stages to run; up to 600 training steps; not timed yet: train, decode"
    )
    remember_time(machine.state, "train", 100.0, 300)
    remember_time(machine.state, "decode", 10.0, None)
    assert preflight.forecast(machine, plan) == (
        "2 of 4 stages to run; up to 600 training steps; about 3 min 30 s by earlier runs"
    )
    assert preflight.forecast(machine, plan[:2]) == "0 of 2 stages to run"


def test_a_store_that_is_away_is_found_before_anything_is_spent(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")
    with pytest.raises(Problem, match="the store does not answer") as caught:
        preflight.check_servers(Machine(state="s3://bucket/state"))
    assert (caught.value.where, caught.value.retry) == ("s3://bucket/state", True)
