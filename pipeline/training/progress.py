"""The progress file: `state/RUNKEY/progress.jsonl`, one record a line, for people and for MLflow.

After a resume the last record of a step counts. The engine only appends to it; nothing that reaches
weights is read from it, so the clock may decide what is worth a line.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pipeline.files import canonical_json, disk_problem
from pipeline.records import Progress

FILE = "progress.jsonl"
TAIL = 2**16  # bytes of a file in which its last record is looked for
Kind = Literal["train", "valid", "system", "event"]


class ProgressFile:
    """Appends records; a line that a crash cut short is ended first."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / FILE

    def append(
        self, step: int, kind: Kind, values: Mapping[str, float] | None = None, note: str = ""
    ) -> None:
        """Write a record; numbers that JSON has no name for are left out."""
        finite = {k: v for k, v in (values or {}).items() if math.isfinite(v)}
        record = Progress(step, kind, finite, note, time.time())
        try:
            with self.path.open("a+b") as file:
                if file.tell() and _last_byte(self.path) != b"\n":
                    file.write(b"\n")
                file.write(canonical_json(asdict(record)).encode() + b"\n")
        except OSError as error:
            raise disk_problem(error, self.path) from error


def _last_byte(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1)


def parse(line: str) -> Progress | None:
    """A line's record; None for a line that a crash cut short."""
    try:
        return Progress(**json.loads(line))
    except (ValueError, TypeError):
        return None


def last_step(folder: Path) -> int:
    """The step of the last whole record of a run's folder; 0 where there is none."""
    tail = _tail(folder / FILE)
    return tail[-1].step if tail else 0


def _tail(path: Path) -> list[Progress]:
    if not path.exists():
        return []
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - TAIL))
        lines = file.read().decode(errors="replace").splitlines()
    return [record for record in map(parse, lines) if record is not None]


def read(folder: Path) -> Iterator[Progress]:
    """Every whole record of a run's folder, in the order of writing."""
    path = folder / FILE
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            record = parse(line)
            if record is not None:
                yield record
