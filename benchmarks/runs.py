"""A run of a table: a workspace of its own, in which the line's own stages train, decode and score.

    FOLDER/
    ├── data-DIGEST/    params.yaml artifacts/{rows,clean,pieces,shards}: for all runs of these data
    └── NAME/           params.yaml machine.yaml artifacts/ state/
        └── result.json     written last, for these params: what is there is read, not made again

A run that was interrupted goes on from its last checkpoint when it is asked for again; a run of
other params begins anew. Each is made by a process of its own: worker.py, in the run's folder.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from tables import add_json

from pipeline.files import digest, read_json, write_text
from pipeline.machine import Machine
from pipeline.seats import crew_of, environment
from pipeline.settings import load, read_yaml
from pipeline.stages import clean, encode, ingest, pieces

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "multi30k-de-en.yaml"
WORKER = Path(__file__).with_name("worker.py").resolve()
DATA = ("corpora", "normaliser", "cleaning", "pieces", "task", "encoding")  # sections
MADE = ("rows", "clean", "pieces", "shards")  # of them
MACHINE = {"workers": 1, "device": "cpu", "data_processes": 1}
PARAMS, ARTIFACTS, RESULT = Path("params.yaml"), Path("artifacts"), Path("result.json")

Params = dict[str, Any]


def ask(description: str) -> argparse.ArgumentParser:
    """What every table of runs can be asked."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--folder", type=Path, required=True, help="where runs are kept")
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="what runs change")
    parser.add_argument("--corpora", type=Path, help="the folder of corpora, if not the recipe's")
    parser.add_argument(
        "--precision", choices=("fp32", "bf16"), help="of training, if not the recipe's"
    )
    parser.add_argument("--steps", type=int, default=600, help="of each run")
    parser.add_argument("--short", type=int, default=100, help="steps of a run that tries a rate")
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 2e-3, 4e-3])
    add_json(parser)
    return parser


@dataclass(frozen=True)
class Bench:
    """Where runs are kept, what they start from, and what each may spend."""

    folder: Path
    params: Params
    steps: int
    short: int
    rates: Sequence[float]

    def run(self, name: str, rate: float, changes: Mapping[str, Params]) -> Params:
        """The result of a whole run: the best weights on valid, then the test set, decoded once."""
        return self._made(name, self.steps, rate, changes, tested=True)

    def rate(self, name: str, changes: Mapping[str, Params]) -> float:
        """The rate whose short run has the lowest loss on valid; where there is one, that."""
        if len(self.rates) == 1:
            return self.rates[0]
        losses = {
            rate: self._made(f"{name} {rate:g}", self.short, rate, changes, tested=False)
            for rate in self.rates
        }
        return min(losses, key=lambda rate: losses[rate]["valid_loss"])

    def place(self, name: str) -> Path:
        """The workspace of a run."""
        return self.folder / name.replace(",", "").replace(" ", "-")

    def _made(
        self, name: str, steps: int, rate: float, changes: Mapping[str, Params], *, tested: bool
    ) -> Params:
        sixth = max(1, steps // 6)
        every = sixth if tested else steps
        budget: Params = {
            "seed": 1,
            "steps": steps,
            "schedule": {"kind": "linear", "peak_rate": rate, "warmup_steps": sixth},
            "validate_every_steps": every,
            "checkpoint_every_steps": every,
        }
        params = changed(changed(self.params, {"training": budget}), changes)
        return made(self.place(name), params, tested=tested)


def bench(arguments: argparse.Namespace) -> Bench:
    """The bench of a recipe, of whose test sets the first is kept; its folder by absolute path."""
    params = read_yaml(arguments.recipe)
    corpora: Params = params["corpora"]
    tests = [source for source in corpora["sources"] if source.get("role") == "test"]
    kept = [source for source in corpora["sources"] if source not in tests[1:]]
    folder = str((arguments.corpora or ROOT / corpora["folder"]).resolve())
    params["corpora"] = {"folder": folder, "sources": kept}
    if arguments.precision:
        params = changed(params, {"training": {"precision": arguments.precision}})
    folder = arguments.folder.resolve()
    return Bench(folder, params, arguments.steps, arguments.short, arguments.rates)


def changed(params: Mapping[str, Any], changes: Mapping[str, Params]) -> Params:
    """Params with other values of some fields of some sections."""
    return {**params, **{section: params[section] | new for section, new in changes.items()}}


def made(place: Path, params: Params, *, tested: bool) -> Params:
    """A run's result: read, or made from where it stands."""
    text = yaml.safe_dump(params, sort_keys=False, allow_unicode=True)
    if not (place / PARAMS).exists() or (place / PARAMS).read_text(encoding="utf-8") != text:
        (place / RESULT).unlink(missing_ok=True)
        _lay_out(place, data(place.parent, params))
        write_text(place / PARAMS, text)
    if not (place / RESULT).exists():
        command = [sys.executable, WORKER, *(["--tested"] if tested else [])]
        variables = environment(crew_of(Machine(**MACHINE), gpus=0))
        subprocess.run(command, cwd=place, env=os.environ | variables, check=True)
    return read_json(place / RESULT)


def data(folder: Path, params: Params) -> Path:
    """The artifacts of the stages before training; params.yaml is written last."""
    sections = {name: params[name] for name in DATA}
    place = folder / f"data-{digest(sections)[:8]}"
    if not (place / PARAMS).exists():
        artifacts, machine = place / ARTIFACTS, Machine(**MACHINE, state=place / "state")
        for stage in (ingest, clean, pieces, encode):
            settings = load(stage.Settings, PARAMS, values=sections)
            stage.run(settings, machine, artifacts, artifacts)
        write_text(place / PARAMS, yaml.safe_dump(sections, sort_keys=False, allow_unicode=True))
    return place / ARTIFACTS


def _lay_out(place: Path, made: Path) -> None:
    """A workspace whose data are those of another folder; nothing trained there is lost."""
    shutil.rmtree(place / ARTIFACTS, ignore_errors=True)
    for folder in (place / ARTIFACTS, place / "data" / "none"):
        folder.mkdir(parents=True, exist_ok=True)
    for name in MADE:
        (place / ARTIFACTS / name).symlink_to(os.path.relpath(made / name, place / ARTIFACTS))
    write_text(place / "machine.yaml", yaml.safe_dump(MACHINE))
