"""`python -m pipeline STAGE`: the programs of dvc.yaml.

    params.yaml, machine.yaml ─► settings ─► pipeline.stages.STAGE.run(…) ─► artifacts/

Holds the workspace's lock (or works under the flow's), dies with its parent, and turns a Problem
into one message, `state/problem.json` and exit code 1. `--check` imports every stage, parses its
settings, holds them against each other, and runs nothing; `--check pieces` tells what else the
pieces tell, once they are there. `train --profile` takes a few steps that nobody keeps, and says
where their time goes. `--debug` adds tracebacks.
"""

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from gc import set_threshold
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

from pipeline.choose import nearest
from pipeline.machine import Machine, read_machine
from pipeline.problems import Problem
from pipeline.settings import load, read_yaml
from pipeline.workspace import clear_problem, die_with_caller, hold, write_problem

ARTIFACTS = Path("artifacts")
PARAMS = Path("params.yaml")
INTERRUPTED = 130
NEW_OBJECTS = 50_000  # until Python looks for garbage; libraries make a million that stay
OPTIONS = ("--debug", "--profile")
PROFILED = "train"
FLOW = "SEQLINE_FLOW"  # set where a flow started the stage


def main(arguments: list[str]) -> int:
    """Run one stage, or check them all; the exit code."""
    set_threshold(NEW_OBJECTS)
    die_with_caller()
    signal.signal(signal.SIGTERM, _interrupt)
    debug, profiled = (option in arguments for option in OPTIONS)
    names = [argument for argument in arguments if argument not in OPTIONS]
    stage = names[0] if len(names) == 1 else ""
    try:
        if names[:1] == ["--check"]:
            check(after=names[1:])
            return 0
        if not stage:
            raise Problem(
                "name one stage", value=" ".join(names), remedy="python -m pipeline STAGE"
            )
        machine = read_machine()
        with hold(machine.folder, f"python -m pipeline {stage}"):
            if profiled:
                profile(stage, machine)
                return 0
            return _work(stage, machine, debug)
    except KeyboardInterrupt:
        _tell_way_back(stage)
        return INTERRUPTED
    except Exception as error:
        _tell(error, stage, debug)
        return 1


def _work(stage: str, machine: Machine, debug: bool) -> int:
    """Run the stage under the lock; only who holds it may leave word of a failure."""
    clear_problem(machine.folder)
    try:
        run(stage, machine)
    except Exception as error:
        left = write_problem(machine.folder, stage, error)
        if not (left and FLOW in os.environ and isinstance(error, Problem)):  # else the flow tells
            _tell(error, stage, debug)
        return 1
    return 0


def run(stage: str, machine: Machine) -> None:
    """One stage, from params.yaml and machine.yaml of the current folder."""
    module = _module(stage)
    settings = load(module.Settings, PARAMS)
    module.run(settings, machine, ARTIFACTS, ARTIFACTS)


def profile(stage: str, machine: Machine) -> None:
    """Where the time of training goes, of what params.yaml and artifacts/ hold now."""
    if stage != PROFILED:
        raise Problem(f"no profile of '{stage}'", remedy=f"python -m pipeline {PROFILED} --profile")
    profiled, settings = importlib.import_module("pipeline.profiled"), _module(stage).Settings
    for line in profiled.profile(load(settings, PARAMS), machine, ARTIFACTS):
        print(line)


def check(after: Sequence[str] = ()) -> None:
    """Import every stage of the graph and parse its settings; the first Problem ends it.

    `after` names stages whose outs are there and up to date: those of `pieces` are looked at.
    """
    read_machine()
    for stage in _stages():
        load(_module(stage).Settings, PARAMS)
    agreement = importlib.import_module("pipeline.agreement")
    if {*_stages()} >= agreement.STAGES:
        sections = load(agreement.Sections, PARAMS)
        agreement.check_sections(sections)
        if "pieces" in after:
            agreement.check_allowed(sections, ARTIFACTS / "pieces")


def _stages() -> list[str]:
    return list(read_yaml(Path("dvc.yaml")).get("stages", {}))


def _module(stage: str) -> ModuleType:
    if stage not in _stages():
        raise Problem(
            f"unknown stage '{stage}'", where="dvc.yaml", remedy=nearest(stage, _stages())
        )
    return importlib.import_module(f"pipeline.stages.{stage}")


def _interrupt(signum: int, frame: FrameType | None) -> NoReturn:
    """SIGTERM ends a stage as Ctrl-C does: what it has opened and started is put away."""
    raise KeyboardInterrupt


def _tell(error: Exception, stage: str, debug: bool) -> None:
    if debug or not isinstance(error, Problem):
        traceback.print_exception(error)
    else:
        print(error, file=sys.stderr)
    _tell_way_back(stage)


def _tell_way_back(stage: str) -> None:
    """By hand nobody checks the former results out: DVC has deleted them before the stage began."""
    by_hand = FLOW not in os.environ and "DVC_STAGE" in os.environ
    lock = Path("dvc.lock")
    if by_hand and lock.is_file() and stage in read_yaml(lock).get("stages", {}):
        print(
            f"The former results of '{stage}' come back with: dvc checkout -f {stage}",
            file=sys.stderr,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
