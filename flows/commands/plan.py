"""`seqline plan`: what a run would do, why, and how long it may take. Changes nothing."""

from pathlib import Path

from flows.bill import duration
from flows.graph import read_graph
from flows.inputs import check_sections
from flows.memory import expected_seconds
from flows.opened import opened
from flows.plan import Planned, stale
from flows.prepare import planned
from flows.talk import say, table
from flows.trainer import train_steps
from pipeline.machine import Machine


def plan() -> None:
    """A line a stage."""
    machine = opened()
    check_sections()
    steps = planned(read_graph(Path.cwd()), machine)
    table(_row(one, machine) for one in steps)
    if not stale(steps):
        say("nothing is stale")


def _row(one: Planned, machine: Machine) -> dict[str, str]:
    runs = one.action in ("run", "run if")
    seconds = expected_seconds(machine.folder, one.stage, train_steps(one.stage)) if runs else None
    return {
        "stage": one.stage,
        "action": one.action,
        "time": duration(seconds),
        "why": "; ".join(one.causes),
    }
