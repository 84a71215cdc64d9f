"""`seqline run`: the whole line, as a flow. Nothing is started where nothing is stale."""

from collections.abc import Sequence
from pathlib import Path

from flows.opened import opened
from flows.params import parse_assignment, set_value, value_at
from flows.plan import Planned, stale
from flows.prepare import prepare
from flows.server import serving
from flows.talk import say
from pipeline.files import write_text
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.workspace import hold

PARAMS = Path("params.yaml")


def run(sets: list[str]) -> None:
    """Plan and preflight first; then a Prefect server where none is named, and the flow."""
    machine = opened()
    with hold(machine.state, "seqline run"):
        before = PARAMS.read_text(encoding="utf-8")
        _assign(sets, before)
        try:
            plan = _looked_ahead(machine)
        except Problem:
            if PARAMS.read_text(encoding="utf-8") != before:
                write_text(PARAMS, before)
                say("params.yaml is as it was before")
            raise
        if plan is not None:
            _flow(machine, plan)


def _assign(sets: list[str], text: str) -> None:
    """Write what -S says into params.yaml, and say so."""
    said: list[str] = []
    for assignment in sets:
        key, value = parse_assignment(assignment)
        said.append(f"params.yaml: {key}: {value_at(text, key)} → {value}")
        text = set_value(text, key, value)
    if sets:
        write_text(PARAMS, text)
    for line in said:
        say(line)


def _looked_ahead(machine: Machine) -> Sequence[Planned] | None:
    """The plan, or None where there is nothing to do; a Problem for what would fail later."""
    graph, plan = prepare(machine)
    if stale(plan):
        from flows.preflight import preflight

        preflight(machine, graph, plan)
        return plan
    from flows.release import outside

    version = outside(machine).settled()
    if version is None:
        return plan
    say(f"nothing is stale: version {version.number} of {version.name} holds these results")
    return None


def _flow(machine: Machine, plan: Sequence[Planned]) -> None:
    with serving(machine.state, machine.prefect_api_url):
        from flows.retrain import finish_logs, retrain

        try:
            retrain(str(Path.cwd()), plan)
        finally:
            finish_logs()
