"""The flow: the graph's stages in order, then register, gate, promotion, report.

    ingest ─► clean ─► drift ─► pieces ─► allowed ─► encode ─► … ─► package
    register ─► gate ─► promote ─► report

One task a stage, in a process of its own. What is up to date shows as Skipped, what comes from
DVC's cache as Restored. Only what may succeed the next time is tried again: a stage says so itself.
"""

import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from prefect import Task, flow, get_run_logger
from prefect.cache_policies import NO_CACHE
from prefect.logging.handlers import APILogHandler
from prefect.runtime import flow_run
from prefect.states import Completed

from flows import closing, edits
from flows.bill import Item, item
from flows.graph import read_graph
from flows.memory import expected_seconds, remember_files, remember_time
from flows.plan import Planned, stale
from flows.preflight import check_allowed, preflight
from flows.prepare import prepare
from flows.release import Outside, outside
from flows.talk import say
from flows.trainer import followed, seed_finished, train_steps
from flows.walk import Place, reproduce, restore
from pipeline.machine import Machine, read_machine
from pipeline.problems import Problem
from pipeline.settings import read_yaml
from pipeline.workspace import die_with, hold

RETRY_SECONDS = [2.0, 20.0]  # before the second and the third try
NAMES = {"ran": "Completed", "restored": "Restored", "skipped": "Skipped"}  # outcome → state


@flow(name="retrain", validate_parameters=False, persist_result=False)
def retrain(workspace: str, plan: Sequence[Planned] | None = None) -> Any:
    """One run of the line in `workspace`.

    With `plan`, the caller holds the lock and has looked ahead. Without, as on a schedule, this
    does so itself, refuses edits that are not committed, and ends where nothing changed.
    """
    os.chdir(workspace)
    machine = read_machine()
    if plan is not None:
        return everything(machine, plan)
    die_with(os.getppid())  # the server of the schedule
    with hold(machine.folder, "a scheduled seqline run"):
        edits.refuse()
        graph, plan = prepare(machine)
        settled = None if stale(plan) else outside(machine).settled()
        if settled is not None:
            message = f"nothing changed: version {settled.number} holds these results"
            get_run_logger().info(message)
            say(message)
            return Completed(name="Unchanged", message=message)
        preflight(machine, graph, plan)
        return everything(machine, plan)


def everything(machine: Machine, plan: Sequence[Planned]) -> Any:
    """Stages, outside world, closing artifacts; the caller holds the lock."""
    place = Place(Path.cwd(), machine.folder)
    world = outside(machine)
    seed_finished(place, plan)
    bill = walk(place, plan, world)
    remember_files(machine.folder, read_graph(place.root))
    ending = conclude(world, bill)
    closing.publish(ending, world)
    closing.print_ending(ending, world)
    return Completed(message=closing.sentence(ending))


def walk(place: Place, plan: Sequence[Planned], world: Outside) -> list[Item]:
    """All stages in order.

    After `clean`, which an earlier run may have made, drift is checked, and after `pieces` whether
    they spell what outputs are restricted to.
    """
    bill: list[Item] = []
    for planned in plan:
        steps = train_steps(planned.stage)
        forecast = expected_seconds(place.state, planned.stage, steps)
        began = time.monotonic()
        with followed(world.server, planned):
            outcome = outcome_of(named(planned.stage)(run_stage)(place, planned, return_state=True))
        seconds = time.monotonic() - began
        bill.append(item(world.machine, planned.stage, outcome, seconds, forecast))
        if outcome == "ran":
            remember_time(place.state, planned.stage, seconds, steps)
        if planned.stage == "clean":
            named("drift")(check_drift)(world)
        if planned.stage == "pieces" and restricts_outputs():
            named("allowed")(check_allowed)()
    return bill


def run_stage(place: Place, planned: Planned) -> Any:
    """One stage, as planned; the state's name says what became of it."""
    if planned.action == "up to date":
        return Completed(name=NAMES["skipped"], message="up to date")
    log = get_run_logger()
    causes = "; ".join(planned.causes)
    log.info("%s: %s", planned.action, causes)
    say(f"{planned.stage}: {planned.action} ({causes})")

    def tell(line: str) -> None:
        log.info(line)
        say(f"  {line}")

    if planned.from_lock:
        restore(place, planned.stage)
    outcome = reproduce(place, planned.stage, tell)
    if outcome == "skipped" and planned.action == "restore":
        outcome = "restored"
    return Completed(name=NAMES[outcome], message=causes)


def outcome_of(state: Any) -> str:
    """What became of a stage, by its task's state; raises what the task raised."""
    if state.name not in NAMES.values():
        state.result()
    return next(outcome for outcome, name in NAMES.items() if name == state.name)


def check_drift(world: Outside) -> None:
    """Stop before training when cleaning drops much more than it did for the champion."""
    from pipeline.registry.gate import judge_data

    checks = judge_data(world.server, world.gate, Path("artifacts/ledgers"))
    failed = next((check for check in checks if not check.passed), None)
    if failed:
        raise Problem(
            f"the data drifted: {failed.name} rose by more than {failed.margin:g}",
            where="params.yaml, gate.drift",
            value=f"champion {failed.champion:.4g}, now {failed.challenger:.4g}",
            remedy="look at the rows: seqline data; raise the limit if this is right",
        )


def restricts_outputs() -> bool:
    """Whether params.yaml says what a hypothesis may be at all."""
    return read_yaml(Path("params.yaml"))["decoding"].get("allowed") is not None


def conclude(world: Outside, bill: list[Item]) -> closing.Ending:
    """Register, gate, promote, report: each a task, each harmless to repeat."""

    def timed(name: str, work: Callable[..., Any], *arguments: Any) -> Any:
        began = time.monotonic()
        result = named(name)(work)(*arguments)
        bill.append(item(world.machine, name, "ran", time.monotonic() - began))
        return result

    version = timed("register", world.register, str(flow_run.get_id() or ""))
    verdict = timed("gate", world.judge, version)
    promoted = timed("promote", world.promote, version, verdict)
    report = timed("report", world.report, version, verdict, tuple(bill))
    return closing.Ending(version, verdict, promoted, report, tuple(bill))


def named(name: str) -> Callable[[Callable[..., Any]], Any]:
    """A task of the flow under this name, tried again where that may help."""

    def wrap(work: Callable[..., Any]) -> Any:
        return Task(
            work,
            name=name,
            task_run_name=name,
            cache_policy=NO_CACHE,
            persist_result=False,
            retries=len(RETRY_SECONDS),
            retry_delay_seconds=RETRY_SECONDS,
            retry_condition_fn=may_retry,
        )

    return wrap


def may_retry(task: Any, run: Any, state: Any) -> bool:
    """Only a Problem that says so is worth another try: a lost worker, a server that was away."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Problem) and error.retry


def finish_logs() -> None:
    """Send the log lines that are left, while the server is still there."""
    APILogHandler.flush(APILogHandler())
