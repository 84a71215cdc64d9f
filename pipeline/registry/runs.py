"""Runs: one MLflow run a run key; the progress file of training, followed into it.

The file is the truth. It is sent from the byte that a tag of the run names, so any process may go
on where another stopped: the flow while training works, `register` with what is missing. A point
that is sent twice is stored once, because its time comes from the file.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.files import read_json
from pipeline.problems import Problem
from pipeline.registry.answers import answered
from pipeline.registry.server import Server

if TYPE_CHECKING:
    from mlflow.entities import Run

_POSITION = "progress_bytes"
_METRICS_A_CALL = 1000  # MLflow's limit of a batch
_LINES_A_CALL = 100


@answered
def run_of(server: Server, run_key: str) -> str:
    """The id of a run key's run, made where there is none; of two made at once the first counts."""
    found = _earliest(server, run_key)
    if found is None:
        tags = {"run_key": run_key}
        server.client.create_run(server.experiment, tags=tags, run_name=run_key[:12])
        found = _earliest(server, run_key)
        assert found is not None
    return found.info.run_id


def _earliest(server: Server, run_key: str) -> "Run | None":
    found = server.client.search_runs(
        [server.experiment],
        f"tags.run_key = '{run_key}'",
        order_by=["attributes.start_time ASC", "attributes.run_id ASC"],
        max_results=1,
    )
    return found[0] if found else None


@answered
def follow(server: Server, run_key: str, path: Path) -> int:
    """Send what the progress file holds and the run does not; returns the number of lines sent."""
    run = run_of(server, run_key)
    start = int(server.client.get_run(run).data.tags.get(_POSITION, "0"))
    if not path.is_file():
        return 0
    if path.stat().st_size < start:
        start = 0  # state/ was deleted and training began again
    sent = 0
    lines = _lines(path, start)
    while block := list(islice(lines, _LINES_A_CALL)):
        _send(server, run, [line for _, line in block])
        server.client.set_tag(run, _POSITION, str(block[-1][0]))
        sent += len(block)
    return sent


def _lines(path: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """(where the next line starts, line) of every whole line from `start` on."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return  # still being written
            start += len(line)
            yield start, line


def _send(server: Server, run: str, lines: list[bytes]) -> None:
    """Numbers become metrics named KIND.NAME, notes tags named event.STEP.

    Those of a system are named system/NAME: MLflow has a page for them.
    """
    from mlflow.entities import Metric, RunTag

    records = [record for record in map(_record, lines) if record is not None]
    tags = [RunTag(f"event.{one['step']}", one["note"]) for one in records if one["note"]]
    metrics = [
        Metric(_named(one["kind"], name), value, int(1000 * one["time"]), one["step"])
        for one in records
        for name, value in one["values"].items()
    ]
    for start in range(0, len(metrics), _METRICS_A_CALL):
        server.client.log_batch(run, metrics=metrics[start : start + _METRICS_A_CALL])
    if tags:
        server.client.log_batch(run, tags=tags)


def _named(kind: str, name: str) -> str:
    return f"system/{name}" if kind == "system" else f"{kind}.{name}"


def _record(line: bytes) -> dict[str, Any] | None:
    """A line's record; None for a line that a crash cut short."""
    try:
        return {"time": 0.0, "note": "", **json.loads(line)}
    except ValueError:
        return None


@answered
def log_parameters(server: Server, run: str, parameters: Mapping[str, Any]) -> None:
    """Store parameters, flat, with the run; the first value of each stays (MLflow's are final).

    MLflow refuses a batch in which one name was stored since we looked, by whoever logs at the same
    time: then what is still missing goes again, as long as it grows fewer.
    """
    from mlflow.exceptions import MlflowException

    flat = {name: str(value)[:6000] for name, value in _flat(parameters)}
    missing = _missing(server, run, flat)
    while missing:
        try:
            _send_parameters(server, run, missing)
        except MlflowException:
            before, missing = missing, _missing(server, run, flat)
            if missing == before:
                raise
        else:
            break


def _missing(server: Server, run: str, flat: Mapping[str, str]) -> dict[str, str]:
    known = server.client.get_run(run).data.params
    return {name: value for name, value in flat.items() if name not in known}


def _send_parameters(server: Server, run: str, flat: Mapping[str, str]) -> None:
    from mlflow.entities import Param

    new = [Param(name, value) for name, value in flat.items()]
    for start in range(0, len(new), 100):
        server.client.log_batch(run, params=new[start : start + 100])


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{name}.")  # pyright: ignore[reportUnknownArgumentType]
        else:
            yield f"{prefix}{name}", value


def watch(server: Server, stop: threading.Event, seconds: float = 10.0) -> None:
    """Follow the training that state/current.json names until `stop` is set; for a flow's thread.

    A server that is away is waited for: what was not sent now is sent later, by `register` at the
    latest, so nothing is raised here.
    """
    while True:
        done = stop.wait(seconds)
        try:
            follow_current(server)
        except Problem as problem:
            if not problem.retry:
                raise
        if done:
            return


def follow_current(server: Server) -> int:
    """Send what is new of the training that state/current.json names."""
    current = server.state / "current.json"
    if not current.is_file():
        return 0
    key = str(read_json(current)["run_key"])
    return follow(server, key, server.state / key / "progress.jsonl")
