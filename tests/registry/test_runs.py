"""Runs: the progress file is followed into MLflow, line by line, by whoever comes by."""

import threading
from pathlib import Path

import pytest

from pipeline.files import canonical_json, write_json
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.records import Progress
from pipeline.registry.runs import follow, follow_current, log_parameters, run_of, watch
from pipeline.registry.server import Registry, connect


def line(step: int, kind: str = "train", note: str = "", **values: float) -> str:
    return canonical_json(Progress(step, kind, values, note, 1000.0 + step)) + "\n"  # pyright: ignore


def points(server, run: str, name: str) -> list[tuple[int, float]]:
    return [(p.step, p.value) for p in server.client.get_metric_history(run, name)]


def test_whole_lines_are_sent_once_and_a_line_being_written_waits(server, tmp_path: Path):
    path = tmp_path / "progress.jsonl"
    assert follow(server, "key", path) == 0
    path.write_text(line(1, loss=3.0, rate=0.5) + line(2, loss=2.0)[:10])
    assert follow(server, "key", path) == 1
    path.write_text(line(1, loss=3.0, rate=0.5) + line(2, loss=2.0) + line(2, "valid", bleu=7.5))
    assert follow(server, "key", path) == 2
    assert follow(server, "key", path) == 0
    run = run_of(server, "key")
    assert points(server, run, "train.loss") == [(1, 3.0), (2, 2.0)]
    assert points(server, run, "train.rate") == [(1, 0.5)]
    assert points(server, run, "valid.bleu") == [(2, 7.5)]


def test_what_is_told_of_the_system_is_on_mlflows_own_page_of_it(server, tmp_path: Path):
    path = tmp_path / "progress.jsonl"
    path.write_text(line(3, mfu=0.7) + line(3, "system", cpu_utilization_percentage=87.5))
    follow(server, "key", path)
    run = run_of(server, "key")
    assert points(server, run, "system/cpu_utilization_percentage") == [(3, 87.5)]
    assert points(server, run, "train.mfu") == [(3, 0.7)]


def test_after_a_resume_the_last_record_of_a_step_counts_and_notes_are_kept(server, tmp_path: Path):
    path = tmp_path / "progress.jsonl"
    path.write_text(line(5, loss=3.0) + line(4, "event", "resumed"))
    follow(server, "key", path)
    with path.open("a") as file:
        file.write(canonical_json(Progress(5, "train", {"loss": 2.5}, "", 2000.0)) + "\n")
    follow(server, "key", path)
    data = server.client.get_run(run_of(server, "key")).data
    assert data.metrics == {"train.loss": 2.5}
    assert data.tags["event.4"] == "resumed"


def test_a_file_that_began_again_is_sent_again_without_doubling_points(server, tmp_path: Path):
    path = tmp_path / "progress.jsonl"
    path.write_text(line(1, loss=3.0) + line(2, loss=2.0))
    follow(server, "key", path)
    path.write_text(line(1, loss=3.0))
    assert follow(server, "key", path) == 1
    assert points(server, run_of(server, "key"), "train.loss") == [(1, 3.0), (2, 2.0)]


def test_of_two_runs_made_at_once_for_a_key_the_earlier_counts(server):
    later = server.client.create_run(server.experiment, 2000, {"run_key": "key"})
    earlier = server.client.create_run(server.experiment, 1000, {"run_key": "key"})
    assert run_of(server, "key") == earlier.info.run_id != later.info.run_id


def test_the_training_that_the_state_names_is_watched_until_the_flow_stops(server):
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=(server, stop, 0.05))
    thread.start()
    write_json(server.state / "current.json", {"run_key": "key", "folder": "state/key"})
    (server.state / "key").mkdir()
    (server.state / "key" / "progress.jsonl").write_text(line(1, loss=3.0))
    stop.set()
    thread.join(30)
    assert points(server, run_of(server, "key"), "train.loss") == [(1, 3.0)]
    assert follow_current(server) == 0


def test_a_line_that_a_crash_cut_short_is_passed_over(server, tmp_path: Path):
    path = tmp_path / "progress.jsonl"
    path.write_text(line(1, loss=3.0)[:20] + "\n" + line(2, loss=2.0))
    assert follow(server, "key", path) == 2
    assert points(server, run_of(server, "key"), "train.loss") == [(2, 2.0)]


def test_parameters_are_stored_flat_and_keep_their_first_value(server):
    run = run_of(server, "key")
    log_parameters(server, run, {"model": {"width": 64, "front": {"kind": "ids"}}, "gate": {}})
    log_parameters(server, run, {"model": {"width": 128}, "seed": None})
    assert server.client.get_run(run).data.params == {
        "model.width": "64",
        "model.front.kind": "ids",
        "gate": "{}",
        "seed": "None",
    }


def test_parameters_that_another_stored_since_we_looked_stay_and_the_rest_is_sent(
    server, monkeypatch
):
    run, send = run_of(server, "key"), server.client.log_batch

    def late(run_id, **batch):
        monkeypatch.setattr(server.client, "log_batch", send)
        log_parameters(server, run_id, {"model": {"width": 64}})
        send(run_id, **batch)

    monkeypatch.setattr(server.client, "log_batch", late)
    log_parameters(server, run, {"model": {"width": 128, "depth": 2}})
    params = server.client.get_run(run).data.params
    assert params == {"model.width": "64", "model.depth": "2"}


def test_parameters_that_mlflow_refuses_for_another_reason_are_a_problem(server):
    with pytest.raises(Problem, match="MLflow refuses what was asked"):
        log_parameters(server, run_of(server, "key"), {"no;good": 1})


def test_a_server_that_is_away_is_a_problem_that_a_retry_may_cure(tmp_path: Path):
    machine = Machine(mlflow_uri="http://127.0.0.1:9", state=tmp_path / "state")
    with pytest.raises(Problem, match="no MLflow server answers") as caught:
        connect(Registry(model="tiny"), machine)
    assert caught.value.retry


def test_a_server_that_goes_away_is_a_problem_too_but_a_thread_that_watches_waits(
    server, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    gone = connect_to_nobody(server)
    with pytest.raises(Problem, match="MLflow does not answer") as caught:
        follow(gone, "key", Path("progress.jsonl"))
    assert caught.value.retry
    write_json(server.state / "current.json", {"run_key": "key", "folder": "state/key"})
    stop = threading.Event()
    stop.set()
    watch(gone, stop, 0.01)


def connect_to_nobody(server):
    from dataclasses import replace

    from mlflow import MlflowClient

    return replace(server, client=MlflowClient("http://127.0.0.1:9", "http://127.0.0.1:9"))


@pytest.mark.parametrize("uri", ["htp://somewhere", "http://", "http://host:port", "http://[1"])
def test_an_address_that_is_none_is_a_problem(tmp_path: Path, uri: str):
    machine = Machine(mlflow_uri=uri, state=tmp_path)
    with pytest.raises(Problem, match="not an address of MLflow"):
        connect(Registry(model="tiny"), machine)
