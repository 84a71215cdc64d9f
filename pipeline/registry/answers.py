"""Answers: what a server, a database, a store or a disk says instead of a result, as Problems.

The kinds of errors go by their names, since their modules are slow to import: MLflow's, the
database's, requests', boto's. Anything else is a bug of ours and stays what it is.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from pipeline.files import disk_problem
from pipeline.problems import Problem
from pipeline.registry.addresses import public

P = ParamSpec("P")
R = TypeVar("R")

_REMOTE = {
    "MlflowException",
    "OperationalError",
    "RequestException",
    "BotoCoreError",
    "ClientError",
    "Boto3Error",
}
_STRANGERS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError"}
_DISK = (  # what SQLite says of it
    "database or disk is full",
    "readonly database",
    "unable to open database file",
    "disk I/O error",
)
_LATER = {408, 429}  # of the 4xx, those that a second try may cure


def answered(function: Callable[P, R]) -> Callable[P, R]:
    """For the public functions of this room: silence and refusal become Problems."""

    @functools.wraps(function)
    def asking(*arguments: P.args, **named: P.kwargs) -> R:
        try:
            return function(*arguments, **named)
        except Exception as error:
            problem = as_problem(error)
            if problem is None:
                raise
            raise problem from error

    return asking


def as_problem(error: Exception) -> Problem | None:
    """What an error says of the world as a Problem; None for what is a bug of ours."""
    kinds = _kinds(error)
    if not kinds & _REMOTE:
        return _from_disk(error) if isinstance(error, OSError) else None
    text = public(next(iter(str(error).splitlines()), type(error).__name__))
    status = _status(error)
    if kinds & _STRANGERS or status in (401, 403):
        remedy = "set MLFLOW_TRACKING_TOKEN, or the credentials of the store"
        return Problem("MLflow, or its store, refuses access", value=text, remedy=remedy)
    if any(words in text for words in _DISK):
        remedy = "free space or make its folder writable, then run the same command again"
        return Problem("MLflow's database cannot be written", value=text, remedy=remedy)
    where = "machine.yaml, mlflow_uri"
    if status is not None and 400 <= status < 500 and status not in _LATER:
        remedy = "see that it names an MLflow server of the version in requirements.lock"
        return Problem("MLflow refuses what was asked", where=where, value=text, remedy=remedy)
    remedy = "see that the server runs, then try again"
    return Problem("MLflow does not answer", where=where, value=text, remedy=remedy, retry=True)


def _kinds(error: BaseException) -> set[str]:
    return {kind.__name__ for kind in type(error).__mro__}


def _status(error: Any) -> int | None:
    """The HTTP status that an error tells of, or that from which it was raised."""
    if error is None:
        return None
    kinds = _kinds(error)
    if "MlflowException" in kinds:
        return error.get_http_status_code()
    if "ClientError" in kinds:
        return error.response["ResponseMetadata"]["HTTPStatusCode"]
    if "HTTPError" in kinds and error.response is not None:
        return error.response.status_code
    return _status(error.__cause__ or error.__context__)


def _from_disk(error: OSError) -> Problem:
    where = str(error.filename or "MLflow's store")
    if isinstance(error, ConnectionError | TimeoutError):
        return Problem("the connection was lost", value=str(error), retry=True)
    if isinstance(error, FileNotFoundError):
        return Problem("file not found", where=where, remedy="restore it, or: seqline run")
    return disk_problem(error, Path(where))
