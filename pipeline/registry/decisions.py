"""Decisions: who moved the champion from where to where, why, and on which verdict.

A decision is a run of its own in the experiment "MODEL decisions": written before the alias moves,
closed after, never changed again. So it is shared by all who use the server, and what a crash left
open is told from where the alias stands. That the gate refused a version, and left the champion
where it is, is a decision too.
"""

import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pipeline.records import Verdict
from pipeline.registry.answers import answered
from pipeline.registry.server import Server
from pipeline.registry.verdicts import verdict_name

if TYPE_CHECKING:
    from mlflow.entities import Run

Kind = Literal["promote", "rollback", "refuse"]
PATIENCE_SECONDS = 60.0  # an open decision that is older was left by a crash
_PROCESS = secrets.token_hex(8)  # what this process left open, it may settle at once


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about the champion. Versions are numbers; "" is none.

    A refusal goes from the champion to the version that did not become it.
    """

    id: str
    when: float  # seconds since the epoch
    kind: Kind
    who: str
    from_version: str
    to_version: str
    why: str
    verdict: str  # outcome, or "" where nobody was asked
    about: str  # the stored verdict's name, or ""
    state: Literal["open", "closed", "stopped"]
    process: str  # a name of its own for the process that decided

    @property
    def abandoned(self) -> bool:
        """Open, and nobody is at work on it: an earlier try of ours, or one that crashed."""
        late = time.time() - self.when >= PATIENCE_SECONDS
        return self.state == "open" and (late or self.process == _PROCESS)


_STATES = {"RUNNING": "open", "FINISHED": "closed", "FAILED": "stopped"}


@answered
def refuse(server: Server, verdict: Verdict) -> None:
    """Write that the gate refused a version; once for each verdict."""
    about = verdict.challenger, verdict_name(verdict)
    if any(
        (one.kind, one.to_version, one.about) == ("refuse", *about) for one in decisions(server)
    ):
        return
    failed = [check.name for check in verdict.checks if not check.passed]
    more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
    why = f"not shown to be as good: {', '.join(failed[:3])}{more}"
    move = verdict.champion, verdict.challenger
    written = write(server, "refuse", *move, who="gate", why=why, verdict=verdict)
    server.client.set_terminated(written, "FINISHED")


def write(
    server: Server,
    kind: Kind,
    before: str,
    after: str,
    *,
    who: str,
    why: str,
    verdict: Verdict | None,
) -> str:
    """The id of a new decision, still open."""
    outcome, about = ("", "") if verdict is None else (verdict.outcome, verdict_name(verdict))
    tags = {"kind": kind, "from": before, "to": after, "who": who, "why": why}
    tags |= {"verdict": outcome, "about": about, "process": _PROCESS}
    known = decisions(server)
    start = max([time.time(), *(one.when + 0.001 for one in known)])  # an order even among clocks
    name = f"{kind} {before or 'none'} to {after}"
    return server.client.create_run(server.decisions, round(1000 * start), tags, name).info.run_id


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
    kind: Kind = tags["kind"]  # pyright: ignore[reportAssignmentType]
    status = "FINISHED" if kind == "refuse" else run.info.status  # it moves nothing
    return Decision(
        id=run.info.run_id,
        when=run.info.start_time / 1000,
        kind=kind,
        who=tags["who"],
        from_version=tags["from"],
        to_version=tags["to"],
        why=tags["why"],
        verdict=tags["verdict"],
        about=tags.get("about", ""),
        state=_STATES.get(status, "stopped"),  # pyright: ignore[reportArgumentType]
        process=tags.get("process", ""),
    )
