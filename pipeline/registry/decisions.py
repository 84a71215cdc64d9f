"""Decisions: who moved the champion from where to where, why, and on which verdict.

A decision is a run of its own in the experiment "MODEL decisions": written before the alias moves,
closed after, never changed again. So it is shared by all who use the server, and what a crash left
open is told from where the alias stands.
"""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.problems import Problem
from pipeline.records import Verdict, Version
from pipeline.registry.server import Server, answered
from pipeline.registry.versions import CHALLENGER, CHAMPION, aliases

if TYPE_CHECKING:
    from mlflow.entities import Run

Kind = Literal["promote", "rollback"]
PATIENCE_SECONDS = 60.0  # an open decision that is older was left by a crash


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about the champion. Versions are numbers; "" is none."""

    id: str
    when: float  # seconds since the epoch
    kind: Kind
    who: str
    from_version: str
    to_version: str
    why: str
    verdict: str  # outcome, or "" where nobody was asked
    state: Literal["open", "closed", "stopped"]


_STATES = {"RUNNING": "open", "FINISHED": "closed", "FAILED": "stopped"}


@answered
def promote(
    server: Server,
    version: Version,
    *,
    who: str,
    why: str,
    verdict: Verdict | None,
    expected: str | None = None,
    against_verdict: bool = False,
) -> Decision | None:
    """Make a version the champion; None where it is already.

    `expected` is the champion's number ("" for none) as the caller read it: where the alias has
    moved since, nothing happens but a Problem. A refused verdict needs `against_verdict`.
    """
    if verdict is not None and verdict.outcome == "refused" and not against_verdict:
        raise Problem(
            f"the gate refused version {version.number}",
            where=f"registry of {server.model}",
            remedy="read report/report.html; to promote it all the same: --against-verdict",
        )
    before = aliases(server).get(CHAMPION, "")
    if expected is not None and before != expected:
        raise moved(server, expected, before)
    if before == version.number:
        return None
    outcome = "" if verdict is None else verdict.outcome
    return _decide(server, "promote", who, before, version.number, why, outcome)


@answered
def rollback(server: Server, *, who: str, why: str) -> Decision:
    """Bring back the champion before this one, along the history of decisions."""
    before = aliases(server).get(CHAMPION, "")
    stack = _stack(decisions(server))
    if before and (not stack or stack[-1] != before):
        stack.append(before)  # moved by other means
    if len(stack) < 2:
        raise Problem(
            "no earlier champion to go back to",
            where=f"registry of {server.model}",
            value=before or "no champion",
            remedy="see: seqline history",
        )
    return _decide(server, "rollback", who, before, stack[-2], why, "")


def _stack(found: list[Decision]) -> list[str]:
    """Champions, the present one last: a promotion puts one on top, a rollback takes it off."""
    stack: list[str] = []
    for decision in found:
        if decision.state != "closed":
            continue
        if decision.from_version and (not stack or stack[-1] != decision.from_version):
            stack.append(decision.from_version)  # moved by other means before
        if decision.kind == "promote":
            stack.append(decision.to_version)
        else:
            stack.pop()
    return stack


def moved(server: Server, expected: str, found: str) -> Problem:
    """Somebody else moved the champion meanwhile."""
    return Problem(
        f"the champion is no longer version {expected or '(none)'}",
        where=f"registry of {server.model}",
        value=f"version {found or '(none)'}",
        remedy="see: seqline history; then ask the gate again: seqline gate",
    )


@answered
def decisions(server: Server) -> list[Decision]:
    """All decisions, the earliest first."""
    found: list[Run] = []
    token: str | None = None
    while token is None or token:
        page = server.client.search_runs([server.decisions], max_results=1000, page_token=token)
        found += page
        token = page.token or ""
    return sorted(map(_read, found), key=lambda one: (one.when, one.id))


def _read(run: "Run") -> Decision:
    tags = run.data.tags
    return Decision(
        id=run.info.run_id,
        when=run.info.start_time / 1000,
        kind="rollback" if tags["kind"] == "rollback" else "promote",
        who=tags["who"],
        from_version=tags["from"],
        to_version=tags["to"],
        why=tags["why"],
        verdict=tags["verdict"],
        state=_STATES.get(run.info.status, "stopped"),  # pyright: ignore[reportArgumentType]
    )


def _decide(
    server: Server, kind: Kind, who: str, before: str, after: str, why: str, verdict: str
) -> Decision:
    """Write, look whether we are alone and the alias is where it was, move, close.

    Of two at once each writes before it looks, so at least one sees the other and stops.
    """
    known = settle(server)
    tags = {"kind": kind, "who": who, "from": before, "to": after, "why": why, "verdict": verdict}
    start = max([time.time(), *(one.when + 0.001 for one in known)])  # an order even among clocks
    name = f"{kind} {before or 'none'} to {after}"
    run = server.client.create_run(server.decisions, round(1000 * start), tags, name)
    mine = run.info.run_id
    rivals = [one for one in decisions(server) if one.state == "open" and one.id != mine]
    found = aliases(server).get(CHAMPION, "")
    if rivals or found != before:
        server.client.set_terminated(mine, "FAILED")
        raise _busy(server, rivals[0]) if rivals else moved(server, before, found)
    _move(server, after)
    server.client.set_terminated(mine, "FINISHED")
    return next(one for one in decisions(server) if one.id == mine)


def _move(server: Server, after: str) -> None:
    server.client.set_registered_model_alias(server.model, CHAMPION, after)
    if aliases(server).get(CHALLENGER) == after:
        server.client.delete_registered_model_alias(server.model, CHALLENGER)


def settle(server: Server) -> list[Decision]:
    """Close what a crash left open, as far as the alias got; returns all decisions."""
    found = decisions(server)
    for one in found:
        if one.state == "open":
            if time.time() - one.when < PATIENCE_SECONDS:
                raise _busy(server, one)
            arrived = aliases(server).get(CHAMPION, "") == one.to_version
            server.client.set_terminated(one.id, "FINISHED" if arrived else "FAILED")
    return found


def _busy(server: Server, rival: Decision) -> Problem:
    return Problem(
        "another decision about the champion is under way",
        where=f"registry of {server.model}",
        value=f"{rival.kind} by {rival.who}: {rival.from_version} → {rival.to_version}",
        remedy=f"wait {PATIENCE_SECONDS:.0f} seconds, then try again",
        retry=True,
    )
