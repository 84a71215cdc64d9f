"""`seqline run`: the whole line, as a flow. Nothing is started where nothing is stale."""

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from flows.differences import shown
from flows.opened import opened
from flows.params import parse_assignment, set_value, value_at
from flows.plan import stale
from flows.prepare import prepare
from flows.server import serving
from flows.talk import say
from pipeline.files import write_text
from pipeline.machine import Machine
from pipeline.settings import read_yaml
from pipeline.workspace import hold

PARAMS = Path("params.yaml")


def run(sets: list[str]) -> None:
    """Plan and preflight first; then the flow.

    A Prefect server of ours, where none is named, starts while the dearer checks are made and the
    libraries are loaded: each takes seconds.
    """
    machine = opened()
    with hold(machine.folder, "seqline run"), ExitStack() as server:
        with _assigned(sets):
            graph, plan = prepare(machine)
            runs = stale(plan)
            if not runs and _settled(machine):
                return
            from flows import preflight, release

            if runs:
                preflight.check(machine, graph)
            answers = server.enter_context(serving(machine.folder, machine.prefect_api_url))
            if runs:
                preflight.look_ahead(machine, plan)
            release.outside(machine)  # loads MLflow, and makes its database where there is none
            from flows.retrain import finish_logs, retrain

            answers()
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


def _settled(machine: Machine) -> bool:
    """Is there nothing to do outside either? Then that is said."""
    from flows.release import outside

    version = outside(machine).settled()
    if version is None:
        return False
    say(f"nothing is stale: version {version.number} of {version.name} holds these results")
    return True
