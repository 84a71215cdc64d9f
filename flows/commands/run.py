"""`seqline run`: the whole line, as a flow. Nothing is started where nothing is stale."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.differences import shown
from flows.opened import opened
from flows.params import parse_assignment, set_value, value_at
from flows.plan import Planned, stale
from flows.prepare import prepare
from flows.server import serving
from flows.talk import say
from pipeline.files import write_text
from pipeline.machine import Machine
from pipeline.settings import read_yaml
from pipeline.workspace import hold

PARAMS = Path("params.yaml")


def run(sets: list[str]) -> None:
    """Plan and preflight first; then a Prefect server where none is named, and the flow."""
    machine = opened()
    with hold(machine.folder, "seqline run"), ExitStack() as server:
        with _assigned(sets):
            plan = _looked_ahead(machine)
            if plan is None:
                return
            server.enter_context(serving(machine.folder, machine.prefect_api_url))
            from flows.retrain import finish_logs, retrain
        try:
            retrain(str(Path.cwd()), plan)
        finally:
            finish_logs()


@contextmanager
def _assigned(sets: list[str]) -> Generator[None, None, None]:
    """Write what -S says into params.yaml, and say so; undone where the block fails."""
    read_yaml(PARAMS)  # a Problem where it is broken
    before = text = PARAMS.read_text(encoding="utf-8")
    said: list[str] = []
    for assignment in sets:
        key, value = parse_assignment(assignment)
        said.append(f"params.yaml: {key}: {shown(value_at(text, key))} → {value}")
        text = set_value(text, key, value)
    if text != before:
        write_text(PARAMS, text)
    for line in said:
        say(line)
    try:
        yield
    except BaseException:
        if text != before and PARAMS.read_text(encoding="utf-8") == text:
            write_text(PARAMS, before)
            say("params.yaml is as it was before")
        raise


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
