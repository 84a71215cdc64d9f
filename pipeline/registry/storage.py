"""Storage: folders and texts of a version, among the artifacts of its run."""

import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.files import write_text
from pipeline.registry.server import Server


def upload(server: Server, run: str, folder: Path, place: str) -> None:
    """Copy a folder's content to `place`."""
    server.client.log_artifacts(run, str(folder), place)


def upload_texts(server: Server, run: str, texts: Mapping[str, str], place: str) -> None:
    """Store texts as files of `place`."""
    with tempfile.TemporaryDirectory() as scratch:
        for name, text in texts.items():
            write_text(Path(scratch) / name, text)
        upload(server, run, Path(scratch), place)


@contextmanager
def fetch(server: Server, run: str, place: str) -> Generator[Path]:
    """What is stored at `place`, as a folder: in place where the store is local, else a copy."""
    local = local_path(f"{server.client.get_run(run).info.artifact_uri}/{place}")
    if local is not None:
        yield local
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield download(server, run, place, Path(scratch))


def download(server: Server, run: str, place: str, folder: Path) -> Path:
    """Copy what is stored at `place` below `folder`; returns where it lies."""
    return Path(server.client.download_artifacts(run, place, str(folder)))


def local_path(uri: str) -> Path | None:
    """The path that an artifact's address names on this machine, if it does."""
    parts = urlsplit(uri)
    if parts.scheme not in {"", "file"}:
        return None
    return Path(unquote(parts.path))


def names(server: Server, run: str, place: str) -> list[str]:
    """The names of what is stored right below `place`; empty where nothing is."""
    return [Path(one.path).name for one in server.client.list_artifacts(run, place)]


def forget(server: Server, run: str, place: str) -> None:
    """Delete what is stored at `place`."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    uri = server.client.get_run(run).info.artifact_uri
    get_artifact_repository(str(uri), server.uri, server.uri).delete_artifacts(place)
