"""The run key: a digest of everything that determines the weights.

The same key is the same run: the same command continues it, and a stage that finds it finished ends
at once. What a change of code does to it: nothing, unless `ENGINE` is raised; so raise it whenever
the mathematics of a step changes (tests/training/test_runkey.py holds weights after a few steps to
it). The record of a key also holds a digest of the rooms' syntax trees for every code that worked
on it, so that the use of what other code made can be told.
"""

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pipeline
from pipeline.files import checksum, digest, read_json, write_json
from pipeline.problems import Problem
from pipeline.settings import Settings
from pipeline.syntax import syntax_digest
from pipeline.training.settings import Training

ENGINE = 2  # raised by hand when the same parts would give other weights
# Decoding and metrics choose the best weights, by a score of what greedy search finds.
ROOMS = ("batches", "decoding", "metrics", "models", "training")
LENGTH = 16  # hexadecimal digits of a key


def key_parts(
    model: Settings, training: Training, *, shards: Mapping[str, str], pieces: str
) -> dict[str, Any]:
    """What a run is determined by. `shards` and `pieces` are digests of contents."""
    return {
        "engine": ENGINE,
        "model": model.model_dump(mode="json"),
        "training": training.model_dump(mode="json", exclude={"start"}),
        "start": folder_digest(training.start),
        "shards": dict(shards),
        "pieces": pieces,
        "versions": {name: version(name).split("+")[0] for name in _libraries(training)},
    }


def _libraries(training: Training) -> tuple[str, ...]:
    """What computes weights, and what chooses the best of them."""
    return ("numpy", "torch", *(("sacrebleu",) if training.best_by in ("bleu", "chrf") else ()))


def run_key(parts: Mapping[str, Any]) -> str:
    """The name of the run that the parts determine."""
    return digest(parts)[:LENGTH]


def folder_digest(folder: Path) -> str:
    """A digest of a folder's files, names that begin with a dot left out; "" where it is empty."""
    if not folder.is_dir():
        raise Problem(
            "no such folder",
            where="params.yaml, training.start",
            value=str(folder),
            remedy="seqline start-from VERSION, or data/none for fresh weights",
        )
    files = [p for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith(".")]
    return digest({p.relative_to(folder).as_posix(): checksum(p) for p in files}) if files else ""


def rooms_digest() -> str:
    """A digest of the training rooms' code, comments and docstrings left out."""
    root = Path(pipeline.__file__).parent
    files = [path for room in ROOMS for path in sorted((root / room).rglob("*.py"))]
    return digest(
        {
            path.relative_to(root).as_posix(): syntax_digest(path.read_text(encoding="utf-8"))
            for path in files
        }
    )


def write_record(folder: Path, parts: Mapping[str, Any], rooms: str) -> None:
    """Name a run, and add the code that goes on with it: `state/RUNKEY/record.json`."""
    codes = dict.fromkeys([*recorded_rooms(folder), rooms])
    record = {"run_key": run_key(parts), "parts": dict(parts), "rooms": list(codes)}
    write_json(folder / "record.json", record)


def recorded_rooms(folder: Path) -> list[str]:
    """The digests of the codes that worked on a run, the first first; none where nothing tells."""
    path = folder / "record.json"
    return [str(rooms) for rooms in read_json(path)["rooms"]] if path.exists() else []
