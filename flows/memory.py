"""What the flow remembers of earlier runs, under `state/flow/`: may be deleted at any time.

trees/DIGEST.json    the files of a folder of code: names what changed in it
times.jsonl          seconds (and steps) of each stage that ran: the forecast

So what cannot be written or read costs no run: a cause is less precise, a forecast is missing.
"""

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from flows.graph import Graph
from pipeline.files import write_json
from pipeline.problems import Problem

MOST_FILES = 2000  # of a folder; larger ones are data
LAST_TIMES = 3


def remember_files(state: Path, graph: Graph) -> None:
    """Keep the file lists of the folders that no stage makes."""
    folder = state / "flow" / "trees"
    for item in _folders(graph):
        path = folder / f"{item.now}.json"
        with suppress(OSError, Problem):
            if not path.exists():
                write_json(path, dict(item.files))


def known_files(state: Path, graph: Graph) -> dict[str, Mapping[str, str]]:
    """The file lists of the folders as they were when the stages last ran, where they were kept."""
    known: dict[str, Mapping[str, str]] = {}
    for item in _folders(graph):
        path = state / "flow" / "trees" / f"{item.locked}.json"
        with suppress(OSError, ValueError):
            known[item.locked] = json.loads(path.read_bytes())
    return known


def _folders(graph: Graph) -> list[Any]:
    made = {out.path for node in graph.nodes for out in node.outputs}
    return [
        item
        for node in graph.nodes
        for item in node.inputs
        if item.path not in made and 0 < len(item.files) <= MOST_FILES
    ]


def remember_time(state: Path, stage: str, seconds: float, steps: int | None) -> None:
    """Add what a stage took. `steps`: of a stage that trains."""
    path = state / "flow" / "times.jsonl"
    line = {"stage": stage, "seconds": round(seconds, 2), "steps": steps, "at": round(time.time())}
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def expected_seconds(state: Path, stage: str, steps: int | None = None) -> float | None:
    """What a stage took, in proportion to its steps; None where it never ran.

    By the longest of the last three times: a training that found its finished key took no time,
    and in one of a few steps hardly more than the start counts.
    """
    last = [line for line in _times(state) if line["stage"] == stage][-LAST_TIMES:]
    longest = max(last, key=lambda line: line["seconds"], default=None)
    return None if longest is None else longest["seconds"] * _share(steps, longest["steps"])


def _times(state: Path) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = []
    with suppress(OSError):
        for line in (state / "flow" / "times.jsonl").read_bytes().splitlines():
            with suppress(ValueError):  # a line that a crash cut short
                lines.append(json.loads(line))
    return lines


def _share(steps: int | None, steps_then: int | None) -> float:
    return steps / steps_then if steps and steps_then else 1.0
