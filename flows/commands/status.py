"""`seqline status`: what is here."""

from pathlib import Path

from flows.graph import read_graph
from flows.inputs import check_sections
from flows.opened import opened
from flows.prepare import planned
from flows.release import ARTIFACTS, outside
from flows.tables import metric_rows
from flows.talk import say, table
from flows.walk import Place
from pipeline.registry.versions import aliases
from pipeline.workspace import read_problem


def status() -> None:
    """Results, the last problem, versions."""
    machine = opened()
    check_sections()
    steps = planned(read_graph(Path.cwd()), machine)
    stale = [step.stage for step in steps if step.action != "up to date"]
    say(
        f"stale:      {', '.join(stale)} (seqline plan says why)"
        if stale
        else "stale:      nothing"
    )
    problem = read_problem(machine.folder)
    if problem and problem["stage"] in stale:  # else its cause was taken back
        say(f"problem:    {problem['stage']}: {problem['message']}")
    stage = Place(Path.cwd(), machine.folder).open_stage()
    if stage is not None:
        say(f"open:       {stage} runs, or was killed")
    world = outside(machine)
    named = aliases(world.server)
    for alias in ("champion", "challenger"):
        version = f"version {named[alias]} of {world.server.model}" if alias in named else "none"
        say(f"{alias + ':':<11} {version}")
    table(metric_rows(ARTIFACTS))
