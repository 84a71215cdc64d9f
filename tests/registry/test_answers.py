"""What servers, databases, stores and disks say: a Problem, which knows if a retry helps."""

import errno
from pathlib import Path

import pytest
import requests
from boto3.exceptions import S3UploadFailedError
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from mlflow.exceptions import MlflowException, RestException
from mlflow.protos.databricks_pb2 import BAD_REQUEST, TEMPORARILY_UNAVAILABLE
from sqlalchemy.exc import OperationalError

from pipeline.problems import Problem
from pipeline.registry.addresses import public
from pipeline.registry.answers import answered
from pipeline.registry.lineage import Lineage
from pipeline.registry.register import register

REFUSED = "MLflow, or its store, refuses access"
WRONG = "MLflow refuses what was asked"
SILENT = "MLflow does not answer"
FULL = "MLflow's database cannot be written"


def http(status: int) -> requests.HTTPError:
    response = requests.Response()
    response.status_code = status
    return requests.HTTPError(f"{status} for url", response=response)


def s3(code: str, status: int) -> ClientError:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PutObject")  # pyright: ignore[reportArgumentType]


def upload_failed(cause: Exception) -> Exception:
    try:
        try:
            raise cause
        except ClientError:
            raise S3UploadFailedError(f"Failed to upload: {cause}")  # noqa: B904 (as boto3 does)
    except S3UploadFailedError as error:
        return error


def sqlite(text: str) -> Exception:
    """As MLflow passes on what its database says."""
    cause = OperationalError("select 1", {}, Exception(text))
    return MlflowException(cause, error_code=TEMPORARILY_UNAVAILABLE)


@pytest.mark.parametrize(
    ("error", "what", "retry"),
    [
        (MlflowException("API request failed"), SILENT, True),
        (MlflowException(""), SILENT, True),
        (RestException({"error_code": "PERMISSION_DENIED", "message": "no"}), REFUSED, False),
        (RestException({"error_code": "401", "message": "who?"}), REFUSED, False),
        (RestException({"error_code": "ENDPOINT_NOT_FOUND", "message": "no"}), WRONG, False),
        (MlflowException("failed with error code 404", BAD_REQUEST), WRONG, False),
        (RestException({"error_code": "REQUEST_LIMIT_EXCEEDED"}), SILENT, True),
        (requests.ConnectionError("refused"), SILENT, True),
        (http(503), SILENT, True),
        (http(403), REFUSED, False),
        (http(413), WRONG, False),
        (s3("AccessDenied", 403), REFUSED, False),
        (s3("NoSuchBucket", 404), WRONG, False),
        (s3("SlowDown", 503), SILENT, True),
        (upload_failed(s3("AccessDenied", 403)), REFUSED, False),
        (upload_failed(s3("InternalError", 500)), SILENT, True),
        (NoCredentialsError(), REFUSED, False),
        (EndpointConnectionError(endpoint_url="http://store"), SILENT, True),
        (sqlite("database is locked"), SILENT, True),
        (sqlite("database or disk is full"), FULL, False),
        (sqlite("attempt to write a readonly database"), FULL, False),
        (OSError(errno.ENOSPC, "No space left on device", "a/b"), "No space left on device", False),
        (PermissionError(errno.EACCES, "Permission denied", "a/b"), "Permission denied", False),
        (FileNotFoundError(errno.ENOENT, "No such file", "a/b"), "file not found", False),
        (ConnectionResetError("reset"), "the connection was lost", True),
    ],
    ids=repr,
)
def test_each_answer_is_a_problem_that_says_if_a_retry_helps(
    error: Exception, what: str, retry: bool
):
    @answered
    def ask() -> None:
        raise error

    with pytest.raises(Problem, match=what) as caught:
        ask()
    assert caught.value.retry is retry


def test_a_bug_of_ours_stays_what_it_is():
    @answered
    def ask() -> None:
        raise KeyError("place")

    with pytest.raises(KeyError):
        ask()


def test_a_store_that_cannot_be_written_is_named(server, make_outs, tmp_path: Path):
    (tmp_path / "registry" / "artifacts").write_text("a file")
    with pytest.raises(Problem, match="cannot write") as caught:
        register(server, make_outs("one"), tmp_path / "state", Lineage())
    assert "registry/artifacts" in str(caught.value)
    assert not caught.value.retry


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://me:secret@host:5000/api", "http://host:5000/api"),
        ("at 'https://me:p@ss@host', twice", "at 'https://host', twice"),
        ("sqlite:///registry/mlflow.db", "sqlite:///registry/mlflow.db"),
        ("me@example.org", "me@example.org"),
    ],
)
def test_what_is_shown_of_an_address_has_no_password(text: str, shown: str):
    assert public(text) == shown
    assert public(shown) == shown
