"""What the flow remembers of earlier runs, under `state/flow/`: may be deleted at any time.

trees/DIGEST.json    the files of a folder of code: names what changed in it
times.jsonl          seconds (and steps) of each stage that ran: the forecast
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flows.graph import Graph

MOST_FILES = 2000  # of a folder; larger ones are data
LAST_TIMES = 3


def remember_files(state: Path, graph: Graph) -> None:
    """Keep the file lists of the folders that no stage makes."""
    folder = state / "flow" / "trees"
    for item in _folders(graph):
        path = folder / f"{item.now}.json"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(dict(item.files)), encoding="utf-8")


def known_files(state: Path, graph: Graph) -> dict[str, Mapping[str, str]]:
    """The file lists of the folders as they were when the stages last ran, where they were kept."""
    known: dict[str, Mapping[str, str]] = {}
    for item in _folders(graph):
        path = state / "flow" / "trees" / f"{item.locked}.json"
        if item.locked and path.is_file():
            known[item.locked] = json.loads(path.read_text(encoding="utf-8"))
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
    path.parent.mkdir(parents=True, exist_ok=True)
    line = {"stage": stage, "seconds": round(seconds, 2), "steps": steps, "at": round(time.time())}
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def expected_seconds(state: Path, stage: str, steps: int | None = None) -> float | None:
    """What a stage took, in proportion to its steps; None where it never ran.

    The longest of the last three times: a training that found its finished key took no time.
    """
    path = state / "flow" / "times.jsonl"
    if not path.is_file():
        return None
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    last = [line for line in lines if line["stage"] == stage][-LAST_TIMES:]
    return max((line["seconds"] * _share(steps, line["steps"]) for line in last), default=None)


def _share(steps: int | None, steps_then: int | None) -> float:
    return steps / steps_then if steps and steps_then else 1.0
