"""Checkpoints: a folder of safetensors and JSON, never anything that can execute.

`checkpoints/00000300/` holds weights.safetensors, optimizer.safetensors, state.json and, last of
all, manifest.json. It is written beside its place, flushed, verified by checksum and by loading,
and renamed; the one before stays until then. A folder that does not verify is told, and skipped.
"""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.files import (
    disk_problem,
    empty_folder,
    read_json,
    read_manifest,
    write_json,
    write_manifest,
)
from pipeline.problems import Problem
from pipeline.tensors import read_tensors, write_tensors
from pipeline.training.state import TrainingState, from_json

Tensors = Mapping[str, Tensor]
WEIGHTS, OPTIMIZER, STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run after `state.step` steps. Planned: saved because of the step's number."""

    weights: Tensors
    optimizer: Tensors
    state: TrainingState
    planned: bool


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write `folder/STEP`, complete or not at all."""
    place = folder / f"{checkpoint.state.step:08d}"
    beside = folder / f".{place.name}.{os.getpid()}.tmp"
    try:
        empty_folder(beside)
        _save_tensors(beside / WEIGHTS, checkpoint.weights)
        _save_tensors(beside / OPTIMIZER, checkpoint.optimizer)
        write_json(
            beside / STATE,
            {"planned": checkpoint.planned, "state": checkpoint.state.as_json()},
        )
        write_manifest(beside)
        load(beside)
        if place.exists():
            shutil.rmtree(place)
        beside.rename(place)
        flush(folder)
    except OSError as error:
        raise disk_problem(error, place) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return place


def load(folder: Path) -> Checkpoint:
    """The checkpoint of a folder; a Problem where anything is missing, cut or altered."""
    read_manifest(folder)
    state, planned = read_state(folder)
    weights, optimizer = load_tensors(folder / WEIGHTS), load_tensors(folder / OPTIMIZER)
    return Checkpoint(weights, optimizer, state, planned)


def read_state(folder: Path) -> tuple[TrainingState, bool]:
    """A checkpoint's training state, and whether it was planned."""
    content = read_json(folder / STATE)
    try:
        return from_json(content["state"]), bool(content["planned"])
    except (KeyError, TypeError) as error:
        raise Problem(f"no training state: {error}", where=str(folder / STATE)) from None


def every(folder: Path) -> list[Path]:
    """The folders of checkpoints, the newest first; what is half written is not among them."""
    return sorted((p for p in folder.glob("[0-9]*") if p.is_dir()), reverse=True)


def newest(
    folder: Path, verify: Callable[[Checkpoint], None], report: Callable[[str], None]
) -> Path | None:
    """The newest checkpoint that loads and `verify` accepts; others are reported and removed."""
    for path in every(folder):
        try:
            verify(load(path))
        except Problem as problem:
            report(f"checkpoint {path.name} skipped: {problem}")
            shutil.rmtree(path, ignore_errors=True)
        else:
            return path
    return None


def prune(folder: Path) -> None:
    """Keep the newest two, and the newest planned one."""
    paths = every(folder)
    planned = [path for path in paths if read_state(path)[1]]
    for path in set(paths) - {*paths[:2], *planned[:1]}:
        shutil.rmtree(path, ignore_errors=True)


def save_weights(folder: Path, weights: Tensors) -> None:
    """Weights alone, as a folder of their own, complete or not at all."""
    beside = folder.with_name(f".{folder.name}.{os.getpid()}.tmp")
    try:
        empty_folder(beside)
        _save_tensors(beside / WEIGHTS, weights)
        write_manifest(beside)
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
        flush(folder.parent)
    except OSError as error:
        raise disk_problem(error, folder) from error
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def load_weights(folder: Path) -> dict[str, Tensor]:
    """What `save_weights` wrote; a Problem where it is missing, cut or altered."""
    read_manifest(folder)
    return load_tensors(folder / WEIGHTS)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, on the CPU; a Problem where it is no such file."""
    return {name: torch.tensor(array) for name, array in read_tensors(path).items()}


def _save_tensors(path: Path, tensors: Tensors) -> None:
    write_tensors(path, {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()})


def flush(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
