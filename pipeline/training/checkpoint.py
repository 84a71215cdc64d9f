"""Checkpoints: a folder of safetensors and JSON, never anything that can execute.

`checkpoints/00000300/`, named by the groups that were consumed, holds weights.safetensors,
optimizer.safetensors, state.json and, last of all, manifest.json. It is written beside its place,
flushed, verified by checksum and by loading, and renamed; the one before stays until then. A folder
that does not verify is told, and renamed to `torn-00000300`, for a person to look at.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from pipeline.files import read_json, read_manifest, write_json, write_manifest
from pipeline.problems import Problem
from pipeline.tensors import read_tensors, write_tensors
from pipeline.training.folders import move, remove, written
from pipeline.training.state import TrainingState, from_json

Tensors = Mapping[str, Tensor]
Under = Callable[[], AbstractContextManager[object]]
WEIGHTS, OPTIMIZER, STATE = "weights.safetensors", "optimizer.safetensors", "state.json"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A run after `state.step` steps. Planned: saved because of the step's number."""

    weights: Tensors
    optimizer: Tensors  # its moments, and the moving average of the weights where there is one
    state: TrainingState
    planned: bool


def copied(tensors: Tensors) -> dict[str, Tensor]:
    """Copies in this host's memory, which no further step changes."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in tensors.items()}


def save(folder: Path, checkpoint: Checkpoint, under: Under = nullcontext) -> Path:
    """Write `folder/GROUPS`, complete or not at all; it takes its place `under` what is given."""
    place = folder / f"{checkpoint.state.groups:08d}"
    with written(place, under) as beside:
        _save_tensors(beside / WEIGHTS, checkpoint.weights)
        _save_tensors(beside / OPTIMIZER, checkpoint.optimizer)
        write_json(
            beside / STATE,
            {"planned": checkpoint.planned, "state": checkpoint.state.as_json()},
        )
        write_manifest(beside)
        load(beside)
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
    except (KeyError, TypeError, ValueError) as error:
        raise Problem(f"no training state: {error}", where=str(folder / STATE)) from None


def every(folder: Path) -> list[Path]:
    """The folders of checkpoints, the newest first; what is half written is not among them."""
    return sorted((p for p in folder.glob("[0-9]*") if p.is_dir()), reverse=True)


def newest(
    folder: Path,
    verify: Callable[[Checkpoint], None],
    report: Callable[[str], None],
    *,
    planned: bool = False,
) -> Path | None:
    """The newest (planned) checkpoint that loads and `verify` accepts.

    Those that do not are reported and set aside.
    """
    for path in every(folder):
        try:
            checkpoint = load(path)
            verify(checkpoint)
        except Problem as problem:
            aside = move(path, f"torn-{path.name}")
            report(f"checkpoint {path.name} skipped, and kept as {aside.name}: {problem}")
        else:
            if checkpoint.planned or not planned:
                return path
    return None


def prune(folder: Path, report: Callable[[str], None]) -> list[TrainingState]:
    """Keep the newest two, and the newest two planned ones, which a run may go back to; their
    states. Unreadable ones go, too."""
    states: dict[Path, tuple[TrainingState, bool]] = {}
    for path in every(folder):
        try:
            states[path] = read_state(path)
        except Problem as problem:
            report(f"checkpoint {path.name} removed: {problem}")
    planned = [path for path, (_, planned) in states.items() if planned]
    kept = {*list(states)[:2], *planned[:2]}
    for path in set(every(folder)) - kept:
        remove(path)
    return [states[path][0] for path in kept]


def save_weights(folder: Path, weights: Tensors, under: Under = nullcontext) -> None:
    """Weights alone, as a folder of their own, complete or not at all."""
    with written(folder, under) as beside:
        _save_tensors(beside / WEIGHTS, weights)
        write_manifest(beside)


def load_weights(folder: Path) -> dict[str, Tensor]:
    """What `save_weights` wrote; a Problem where it is missing, cut or altered."""
    read_manifest(folder)
    return load_tensors(folder / WEIGHTS)


def load_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file, on the CPU; a Problem where it is no such file."""
    return {name: torch.tensor(array) for name, array in read_tensors(path).items()}


def _save_tensors(path: Path, tensors: Tensors) -> None:
    write_tensors(path, {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()})
