"""`seqline history`: who moved the champion, when, from where to where, and why."""

import time

from flows.opened import opened
from flows.release import outside
from flows.talk import say, table
from pipeline.registry.history import history as read


def history() -> None:
    """A line an event, the latest last."""
    server = outside(opened()).server
    rows = [
        {
            "when": _when(event.when),
            "what": event.kind,
            "from": event.from_version,
            "to": event.to_version,
            "who": event.who,
            "why": event.why,
            "verdict": event.verdict,
        }
        for event in read(server)
    ]
    table(rows)
    if not rows:
        say(f"nothing was decided about {server.model} yet")


def _when(seconds: float | None) -> str:
    return "" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))
