"""History: what became of the champion, told from the decisions and from where the alias stands.

An alias that is not where the last decision left it was moved by other means (MLflow's page,
another program); that is told too, between the decisions where it happened.
"""

from dataclasses import dataclass
from typing import Literal

from pipeline.registry.answers import answered
from pipeline.registry.decisions import Decision, decisions
from pipeline.registry.server import Server
from pipeline.registry.versions import CHAMPION, aliases

Kind = Literal["promote", "rollback", "refuse", "moved by other means", "unfinished", "stopped"]


@dataclass(frozen=True, slots=True)
class Event:
    """One line of the history. `when` is None where only the order is known."""

    when: float | None
    kind: Kind
    from_version: str
    to_version: str
    who: str = ""
    why: str = ""
    verdict: str = ""


@answered
def history(server: Server) -> list[Event]:
    """All events, the earliest first."""
    events: list[Event] = []
    stands = ""
    for decision in decisions(server):
        if decision.state != "stopped" and decision.from_version != stands:
            events.append(_elsewhere(stands, decision.from_version))
            stands = decision.from_version
        events.append(_event(decision))
        if decision.state == "closed" and decision.kind != "refuse":
            stands = decision.to_version
    now = aliases(server).get(CHAMPION, "")
    if now != stands and not (events and events[-1].kind == "unfinished"):
        events.append(_elsewhere(stands, now))
    return events


def _elsewhere(before: str, after: str) -> Event:
    return Event(None, "moved by other means", before, after)


def _event(decision: Decision) -> Event:
    kinds: dict[str, Kind] = {"open": "unfinished", "stopped": "stopped", "closed": decision.kind}
    return Event(
        when=decision.when,
        kind=kinds[decision.state],
        from_version=decision.from_version,
        to_version=decision.to_version,
        who=decision.who,
        why=decision.why,
        verdict=decision.verdict,
    )
