"""What a finished run leaves: the files of the stage's outs, kept under its key.

`state/RUNKEY/finished/` holds model.json, weights.safetensors, run.json and curves.csv, with a
manifest written last; the outs are copies, the same bytes whenever they are handed out.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.files import (
    disk_problem,
    empty_folder,
    read_json,
    read_manifest,
    write_json,
    write_manifest,
    write_text,
)
from pipeline.problems import Problem
from pipeline.training.folders import written
from pipeline.training.run import Outcome
from pipeline.training.runkey import LENGTH
from pipeline.training.state import TrainingState

MODEL_FILES = ("model.json", "run.json", "weights.safetensors")
CURVES = "curves.csv"
COLUMNS = ("step", "train_loss", "valid_loss", "valid_score", "rate")


def keep(folder: Path, key: str, outcome: Outcome, write_model: Callable[[Path], None]) -> None:
    """Keep an outcome in `folder` (state/RUNKEY), complete or not at all."""
    with written(folder / "finished") as beside:
        write_model(beside)
        write_json(beside / "run.json", run_facts(key, outcome))
        write_text(beside / CURVES, curves(outcome.state))
        write_manifest(beside)


def run_facts(key: str, outcome: Outcome) -> dict[str, Any]:
    """What run.json says; nothing of when, where or how fast."""
    state = outcome.state
    return {
        "run_key": key,
        "steps": state.step,
        "epochs": state.position.epoch,
        "target_tokens": state.tokens,
        "skipped": state.skipped,
        "rollbacks": state.rollbacks,
        "stopped_early": state.stopped_early,
        "averaged_steps": sorted(state.best),
        "valid": dict(outcome.scores),
    }


def curves(state: TrainingState) -> str:
    """The curves as CSV: a row a validation; a score that was not taken stays empty.

    `valid_score` is of the metric that run.json names beside the loss: a column has one name,
    whatever the recipe, so that dvc.yaml can plot it.

    Norms of gradients follow, a column each, where they were watched; in an order of their own,
    since a state that was read from a checkpoint has lost that of the model.
    """
    places = sorted({place for row in state.curve for place in row.gradients}, key=_counted)
    lines = [",".join((*COLUMNS, *places))]
    for row in state.curve:
        score = next((value for name, value in row.scores.items() if name != "loss"), "")
        norms = [row.gradients.get(place, "") for place in places]
        cells = (row.step, row.train_loss, row.scores["loss"], score, row.rate, *norms)
        lines.append(",".join(str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def _counted(place: str) -> list[tuple[int, str]]:
    """A key that puts `back_2` before `back_16`."""
    return [(int(part) if part.isdigit() else 0, part) for part in re.split(r"(\d+)", place)]


def is_finished(folder: Path) -> bool:
    """Is the run of `folder` complete, every file with its checksum?"""
    try:
        read_manifest(folder / "finished")
    except Problem:
        return False
    return True


def hand_out(folder: Path, outputs: Path) -> None:
    """Write a finished run's outs: `outputs/model` and `outputs/curves.csv`."""
    kept = folder / "finished"
    model = empty_folder(outputs / "model")
    try:
        for name in MODEL_FILES:
            shutil.copyfile(kept / name, model / name)
        shutil.copyfile(kept / CURVES, outputs / CURVES)
    except OSError as error:
        raise disk_problem(error, outputs) from error


def seed(model: Path, curves: Path, state: Path) -> bool:
    """Make outs that were fetched count as their key's finished run; False where nothing was done.

    So a clone that pulled its outs does not train again for a comment in a module.
    """
    if not all((model / name).is_file() for name in MODEL_FILES) or not curves.is_file():
        return False
    key = str(read_json(model / "run.json").get("run_key", ""))
    if len(key) != LENGTH or not key.isalnum() or is_finished(state / key):
        return False
    with written(state / key / "finished") as beside:
        for name in MODEL_FILES:
            shutil.copyfile(model / name, beside / name)
        shutil.copyfile(curves, beside / CURVES)
        write_manifest(beside)
    return True
