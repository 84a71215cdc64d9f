"""Before a run: heal what a killed one left, put new data under DVC, and plan."""

from pathlib import Path

from flows import edits
from flows.graph import Graph, read_graph
from flows.inputs import check_sections
from flows.memory import known_files, remember_files
from flows.plan import Planned, make_plan, stale
from flows.talk import say
from flows.walk import Place, heal
from pipeline.machine import Machine
from pipeline.workspace import clear_problem


def prepare(machine: Machine) -> tuple[Graph, tuple[Planned, ...]]:
    """Graph and plan of a run of the current folder, whose lock the caller holds."""
    check_sections()
    heal(Place(Path.cwd(), machine.folder), say)
    edits.track_folders(say)
    graph = read_graph(Path.cwd())
    edits.track_changes(graph, say)
    plan = planned(graph, machine)
    if not stale(plan):
        clear_problem(machine.folder)  # its cause was taken back
    return graph, plan


def planned(graph: Graph, machine: Machine) -> tuple[Planned, ...]:
    """The plan, naming causes by what earlier runs left under state/, where alone this writes."""
    plan = make_plan(graph, known_files(machine.folder, graph))
    remember_files(machine.folder, graph)
    return plan
