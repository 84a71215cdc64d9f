"""The systems as processes that take turns: commands, and who gets which batch."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from peers.turns import Ids, batches

HERE = Path(__file__).resolve().parent.parent
PACKAGES = (
    "torch==2.13.0",
    "transformers==5.23.0",
    "ctranslate2==4.8.5",
    "safetensors==0.8.0",
    "numpy==2.4.6",
)


@dataclass
class System:
    """Processes that take turns together, each with its share of the batches."""

    name: str
    commands: list[list[str]]
    environment: dict[str, str]
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def __enter__(self) -> "System":
        for command in self.commands:
            self.processes.append(
                subprocess.Popen(
                    command,
                    env=os.environ | self.environment,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
        return self

    def __exit__(self, *error: object) -> None:
        for process in self.processes:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.wait()
            process.stdout.close()

    def decode(self, task: dict[str, Any]) -> tuple[float, list[Ids]]:
        """Seconds until all have answered, and the hypotheses in the order of the sources.

        Who has answered gets the next batch; a single process deals them out itself.
        """
        sources, found = task["sources"], {}
        shares = list(batches(sources, task["batch"]))
        waiting = iter([list(range(len(sources)))] if len(self.processes) == 1 else shares)

        def work(process: subprocess.Popen[str]) -> None:
            assert process.stdout is not None
            for rows in waiting:
                mine = {**task, "sources": [sources[row] for row in rows]}
                print(json.dumps(mine), file=process.stdin, flush=True)
                found.update(zip(rows, json.loads(process.stdout.readline()), strict=True))

        start = time.perf_counter()
        with ThreadPoolExecutor(len(self.processes)) as pool:
            list(pool.map(work, self.processes))
        return time.perf_counter() - start, [found[row] for row in range(len(sources))]


def ours(folder: Path, workers: int) -> System:
    """A worker a process, as in the stage that decodes."""
    command = [sys.executable, "-m", "peers.ours", str(folder)]
    return System("ours", [command] * workers, path(HERE.parent, HERE))


def peers(exported: Path, python: Path, workers: int) -> Iterator[tuple[System, tuple[str, ...]]]:
    """The systems with the same weights, and their precisions."""
    command = [str(python), "-m", "peers.hugging_face", str(exported)]
    yield System("transformers", [command] * workers, path(HERE)), ("fp32",)
    command = [str(python), "-m", "peers.ctranslate2_peer", str(exported), str(workers)]
    yield System("ctranslate2", [command], path(HERE)), ("fp32", "int8")


def path(*folders: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(map(str, folders)), "OMP_NUM_THREADS": "1"}
