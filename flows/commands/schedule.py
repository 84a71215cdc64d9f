"""`seqline schedule`: serve the flow on a schedule, against a Prefect server, until stopped."""

import os
from pathlib import Path

from flows import child
from flows.opened import opened
from flows.server import check, settle
from flows.talk import say
from pipeline.problems import Problem


def schedule(cron: str | None, interval: float | None) -> None:
    """Needs a server that stays: prefect_api_url in machine.yaml, or PREFECT_API_URL."""
    if (cron is None) == (interval is None):
        raise Problem(
            "give one of --cron and --interval", remedy='seqline schedule --cron "0 3 * * *"'
        )
    machine = opened()
    url = machine.prefect_api_url or os.environ.get("PREFECT_API_URL")
    if url is None:
        raise Problem(
            "a schedule needs a Prefect server that stays",
            where="machine.yaml, prefect_api_url",
            remedy="prefect server start; then prefect_api_url: http://127.0.0.1:4200/api",
        )
    check(url)
    settle(machine.state)
    os.environ["PREFECT_API_URL"] = url
    kind, value = ("cron", cron) if cron is not None else ("interval", str(interval))
    say(f"serving {Path.cwd()}, {kind} {value}; stop with Ctrl-C")
    # In a process of its own: on SIGTERM, Prefect's server of schedules forgets what it started.
    code = child.run(["python", "-m", "flows.schedule", kind, value], say)
    if code != 0:
        raise Problem("the schedule ended", value=f"exit code {code}", remedy="see the lines above")
