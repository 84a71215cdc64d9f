"""The connection to MLflow: SQLite under registry/ by default, any server by its address.

Nothing is reported to anybody, nothing is printed, and a server that is away is a Problem after
seconds: MLflow's own defaults try for four minutes.
"""

import logging
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field

from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.registry.addresses import public
from pipeline.registry.answers import answered
from pipeline.settings import Settings

if TYPE_CHECKING:
    from mlflow import MlflowClient

SQLITE = "sqlite:///"
_ENVIRONMENT = {
    "DO_NOT_TRACK": "true",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "3",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "GIT_PYTHON_REFRESH": "quiet",
}


class Registry(Settings):
    """The section `registry` of params.yaml: under which name models are registered."""

    model: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The registered model's name; runs are in the experiment of the same name."""


@dataclass(frozen=True, slots=True)
class Server:
    """A connection to the registry of one model."""

    client: "MlflowClient"
    uri: str
    model: str
    experiment: str  # the id of the experiment that holds the runs
    decisions: str  # the id of the experiment that holds one run a decision
    state: Path  # where downloaded versions are kept


def reachable(uri: str) -> Problem | None:
    """None when the server takes connections (or the database's folder can be written)."""
    if uri.startswith(SQLITE):
        return _writable(Path(uri.removeprefix(SQLITE)))
    where, endpoint = "machine.yaml, mlflow_uri", _endpoint(uri)
    if endpoint is None:
        remedy = "sqlite:///PATH, or http(s)://HOST:PORT"
        return Problem("not an address of MLflow", where=where, value=public(uri), remedy=remedy)
    try:
        socket.create_connection(endpoint, timeout=5).close()
    except OSError as error:
        return Problem(
            f"no MLflow server answers: {error.strerror or error}",
            where=where,
            value=public(uri),
            remedy="start it, or set mlflow_uri to sqlite:///registry/mlflow.db",
            retry=True,
        )
    return None


def _endpoint(uri: str) -> tuple[str, int] | None:
    """Host and port of an address; None for what is none."""
    try:
        parts = urlsplit(uri)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:  # a port that is no number
        return None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return None
    return parts.hostname, port


def _writable(database: Path) -> Problem | None:
    place = database if database.exists() else database.parent
    while not place.exists():
        place = place.parent
    if os.access(place, os.W_OK):
        return None
    remedy = "make it writable, or set another mlflow_uri"
    return Problem("cannot write MLflow's database", where=str(place), remedy=remedy)


@answered
def connect(settings: Registry, machine: Machine) -> Server:
    """Open the registry of `settings.model`; a new SQLite database takes some seconds to make."""
    problem = reachable(machine.mlflow_uri)
    if problem is not None:
        raise problem
    client, uri, artifacts = _client(machine.mlflow_uri)
    return Server(
        client=client,
        uri=uri,
        model=settings.model,
        experiment=_experiment(client, settings.model, artifacts),
        decisions=_experiment(client, f"{settings.model} decisions", artifacts),
        state=machine.folder.resolve(),
    )


def _client(address: str) -> tuple["MlflowClient", str, str | None]:
    """The client, its absolute address, and where artifacts go (None: where the server says)."""
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    logging.getLogger("alembic").setLevel(logging.ERROR)
    from mlflow import MlflowClient

    if not address.startswith(SQLITE):
        return MlflowClient(address, address), address, None
    database = Path(address.removeprefix(SQLITE)).resolve()
    database.parent.mkdir(parents=True, exist_ok=True)
    uri = f"{SQLITE}{database}"
    return MlflowClient(uri, uri), uri, (database.parent / "artifacts").as_uri()


def _experiment(client: "MlflowClient", name: str, artifacts: str | None) -> str:
    """The id of the experiment `name`, which is made where there is none."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, artifact_location=artifacts)
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            return _experiment(client, name, artifacts)  # another process was faster
    if found.lifecycle_stage == "deleted":
        client.restore_experiment(found.experiment_id)
    return found.experiment_id
