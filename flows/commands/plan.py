"""`seqline plan`: what a run would do, why, and how long it may take. Changes nothing."""

from pathlib import Path

from flows.bill import duration
from flows.graph import read_graph
from flows.inputs import check_sections
from flows.memory import expected_seconds
from flows.opened import opened
from flows.plan import stale
from flows.prepare import planned
from flows.talk import say, table
from flows.trainer import train_steps


def plan() -> None:
    """A line a stage."""
    machine = opened()
    check_sections()
    steps = planned(read_graph(Path.cwd()), machine)
    rows: list[dict[str, str]] = []
    for one in steps:
        seconds = None
        if one.action in ("run", "run if"):
            seconds = expected_seconds(machine.state, one.stage, train_steps(one.stage))
        rows.append(
            {
                "stage": one.stage,
                "action": one.action,
                "why": "; ".join(one.causes),
                "last time": duration(seconds),
            }
        )
    table(rows)
    if not stale(steps):
        say("nothing is stale")
