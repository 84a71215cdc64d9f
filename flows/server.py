"""A Prefect server for one run: ours, on loopback, gone when we are; or the one of machine.yaml.

Prefect's own temporary server outlives a killed flow. This one is bound to our process.
"""

import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from flows import child
from pipeline.problems import Problem
from pipeline.registry.addresses import public

START_SECONDS = 120.0


def settle(state: Path) -> None:
    """Prefect's settings, in the environment; to be called before Prefect is imported."""
    os.environ.update(
        PREFECT_HOME=str((state / "prefect").resolve()),
        PREFECT_SERVER_ANALYTICS_ENABLED="false",
        DO_NOT_TRACK="1",
        PREFECT_SERVER_EPHEMERAL_ENABLED="false",
        PREFECT_CLI_PROMPT="false",
        PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL="CRITICAL",  # what people see, flows prints itself
    )


@contextmanager
def serving(state: Path, url: str | None) -> Generator[Callable[[], None], None, None]:
    """A server of ours, which starts while the block begins, or the one at `url`, which is asked.

    What the block gets waits until it answers. Its address is in the environment: Prefect looks for
    it there as it is imported.
    """
    settle(state)
    if url is not None:
        check(url)
        os.environ["PREFECT_API_URL"] = url
        yield lambda: None
        return
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    log = state / "prefect" / "server.log"
    process, answered = _start(log, port), False

    def answers() -> None:
        nonlocal answered
        _await(process, address, log)
        answered = True

    try:
        os.environ["PREFECT_API_URL"] = address
        yield answers
    finally:
        os.environ.pop("PREFECT_API_URL", None)
        if answered:
            process.terminate()
        # What nobody has used holds nothing to be written.
        child.stop(process, grace=10.0 if answered else 0.0)


def check(url: str) -> None:
    """A Problem unless a Prefect server answers at `url`."""
    if not _healthy(url):
        raise Problem(
            "no Prefect server answers",
            where="machine.yaml, prefect_api_url",
            value=public(url),
            remedy="start it: prefect server start; or null for a server of the run's own",
            retry=True,
        )


def _start(log: Path, port: int) -> subprocess.Popen[str]:
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as output:
        return child.start(
            [
                *("python", "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"),
                *("--host", "127.0.0.1", "--port", str(port), "--log-level", "error"),
            ],
            extra={"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1"},
            output=output,
        )


def _await(process: subprocess.Popen[str], address: str, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not _healthy(address):
        if process.poll() is not None or time.monotonic() > end:
            said = log.read_text(encoding="utf-8")[-500:]
            raise Problem(
                "the run's own Prefect server did not start",
                where=address,
                value=said or None,
                remedy=f"see {log}; or name a running server in machine.yaml: prefect_api_url",
            )
        time.sleep(0.1)


def _healthy(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url.rstrip('/')}/health", timeout=5) as answer:  # noqa: S310
            return answer.status == 200
    except (OSError, ValueError):
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
