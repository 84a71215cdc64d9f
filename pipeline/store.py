"""The store: a folder on S3, or on whatever speaks its protocol, as whole objects and ranges.

    s3://bucket/prefix ─► objects by name below the prefix, read and written whole or by range

Keys, region and endpoint are those of AWS's own tools: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY,
AWS_REGION, AWS_ENDPOINT_URL and the like, a profile, or the role of the host. They stand in no file
of ours. An object is there whole or not at all, and whoever lists after a write sees it: more than
that (renaming, conditional writes) is never asked for.
"""

import hashlib
import os
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pipeline.files import MANIFEST, disk, read_manifest, writing
from pipeline.problems import Problem

AT_ONCE = 8 * 2**20  # bytes in memory while a file travels
CONNECT_SECONDS = 5.0
PATIENCE = 600.0  # seconds that a store is waited for by whoever cannot do without it
PAUSE = 2.0  # seconds between two of its attempts
T = TypeVar("T")
ATTEMPTS = 3  # of a request, a moment after each other; who has more patience tries again
# What AWS's libraries say of a server that does not answer, or not now.
AWAY = (
    "NETWORK_CONNECTION",
    "INTERNAL_FAILURE",
    "SERVICE_UNAVAILABLE",
    "SLOW_DOWN",
    "REQUEST_TIMEOUT",
    "curlCode",
    "HTTP status 5",
)


class AwayError(Problem):
    """The store does not answer now: the same may succeed later."""


@dataclass(frozen=True, slots=True)
class Store:
    """The objects below an address. It travels; each process opens its own connections."""

    address: str  # s3://bucket/prefix

    def below(self, name: str) -> "Store":
        """The store of what lies below a name."""
        return Store(f"{self.address.rstrip('/')}/{name}")

    def read(self, name: str, offset: int = 0, length: int | None = None) -> bytes:
        """An object's bytes, or of them `length` from `offset` on."""
        with self._answering(name), _files().open_input_file(self._key(name)) as file:
            return file.read_at(file.size() - offset if length is None else length, offset)

    def write(self, name: str, content: bytes) -> None:
        """An object, whole or not at all."""
        with self._answering(name), _files().open_output_stream(self._key(name)) as stream:
            stream.write(content)

    def upload(self, path: Path, name: str) -> None:
        """A file as an object, with little of it in memory."""
        with (
            path.open("rb") as file,
            self._answering(name),
            _files().open_output_stream(self._key(name)) as stream,
        ):
            while block := file.read(AT_ONCE):
                stream.write(block)

    def download(self, name: str, path: Path) -> None:
        """An object as a file, whole or not at all."""
        with writing(path) as temporary, temporary.open("wb") as file:
            for block in self.blocks(name):
                with disk(path):
                    file.write(block)

    def blocks(self, name: str) -> Generator[bytes]:
        """An object's bytes, some at a time."""
        with self._answering(name), _files().open_input_stream(self._key(name)) as stream:
            while block := stream.read(AT_ONCE):
                yield block

    def listed(self, name: str = "") -> dict[str, "Listed"]:
        """Every object below a name, by its name in this store, in order."""
        from pyarrow.fs import FileSelector, FileType

        root = self._key("")
        selector = FileSelector(self._key(name), recursive=True, allow_not_found=True)
        with self._answering(name):
            found = _files().get_file_info(selector)
        files = [info for info in found if info.type == FileType.File]
        return {
            info.path.removeprefix(root).lstrip("/"): Listed(info.size, info.mtime_ns or 0)
            for info in sorted(files, key=lambda info: info.path)
        }

    def delete(self, name: str) -> None:
        """An object, where it is there."""
        try:
            with self._answering(name):
                _files().delete_file(self._key(name))
        except MissingError:
            pass

    def check(self) -> None:
        """A Problem where the store cannot be listed, or written in."""
        self.listed("probe")
        self.write(f"probe/{os.getpid()}", b"1")
        self.delete(f"probe/{os.getpid()}")

    def _key(self, name: str) -> str:
        """The name in the bucket, without a slash at its end."""
        return f"{self.address.removeprefix('s3://').rstrip('/')}/{name}".rstrip("/")

    @contextmanager
    def _answering(self, name: str) -> Generator[None]:
        """What the store answers as a Problem; never with what it was asked with: no keys."""
        try:
            yield
        except FileNotFoundError:
            raise MissingError("not in the store", where=f"{self.address}/{name}") from None
        except OSError as error:
            said = _said(error)
            if any(word in said for word in AWAY):
                remedy = "is the server up, and AWS_ENDPOINT_URL right? then run it again"
                raise AwayError(
                    "the store does not answer",
                    where=self.address,
                    value=said,
                    remedy=remedy,
                    retry=True,
                ) from None
            raise Problem(
                "the store refuses",
                where=f"{self.address}/{name}".rstrip("/"),
                value=said,
                remedy="make the bucket, or give this host the right AWS_… variables or profile",
            ) from None


class MissingError(Problem):
    """There is no such object."""


@dataclass(frozen=True, slots=True)
class Listed:
    """What a listing tells of an object."""

    bytes: int
    moved: int  # when it was written last, by the store's clock, in nanoseconds


def _said(error: OSError) -> str:
    """The error's own words, on one line."""
    return " ".join(str(error).split())


def _files() -> Any:
    """This process's connections."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    return _connected(
        endpoint, os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    )


@lru_cache(maxsize=1)
def _connected(endpoint: str, region: str) -> Any:
    """Connections to a server. Made at first use: a fork must not inherit them.

    Without a region AWS's library would look for a host of Amazon's that tells it; a server of
    one's own takes any.
    """
    from pyarrow.fs import AwsStandardS3RetryStrategy, S3FileSystem

    options: dict[str, Any] = {"region": region} if region else {}
    if endpoint:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        options = {"region": "us-east-1", **options}
        options |= {"endpoint_override": parts.netloc, "scheme": parts.scheme}
    return S3FileSystem(
        connect_timeout=CONNECT_SECONDS,
        retry_strategy=AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        background_writes=False,
        allow_delayed_open=True,  # what is small is one request, not three
        **options,
    )


def patiently(call: Callable[[], T]) -> T:
    """What a call gives, however long the store is away, up to `PATIENCE`."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return call()
        except AwayError:
            if time.monotonic() > end:
                raise
        time.sleep(PAUSE)


def put_folder(store: Store, folder: Path) -> None:
    """A folder with a manifest: its files, each read back and compared, and the manifest last.

    So where the manifest is, all is there and proven.
    """
    for name, fact in read_manifest(folder, verify=False)["files"].items():
        store.upload(folder / name, name)
        if _checksum(store, name) != fact["sha256"]:
            raise AwayError(
                "what was uploaded comes back altered",
                where=f"{store.address}/{name}",
                remedy="look at the network and the server; it is uploaded again",
                retry=True,
            )
    store.upload(folder / MANIFEST, MANIFEST)


def get_folder(store: Store, folder: Path) -> None:
    """Download what the manifest of a folder lists, and the manifest; whoever reads it verifies."""
    store.download(MANIFEST, folder / MANIFEST)
    for name in store.listed():
        if name != MANIFEST:
            store.download(name, folder / name)


def _checksum(store: Store, name: str) -> str:
    digest = hashlib.sha256()
    for block in store.blocks(name):
        digest.update(block)
    return digest.hexdigest()


def complete(listed: Mapping[str, Listed]) -> set[str]:
    """The folders, by their names in a listing, that have a manifest: all else is half there."""
    ends = f"/{MANIFEST}"
    return {name.removesuffix(ends) for name in listed if name.endswith(ends)}
