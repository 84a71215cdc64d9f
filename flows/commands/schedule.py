"""`seqline schedule`: serve the flow on a schedule, against a Prefect server, until stopped."""

import os
from pathlib import Path

from flows import child
from flows.opened import opened
from flows.server import check, settle
from flows.talk import say
from pipeline.problems import Problem

MOST_SECONDS = 366 * 86400.0


def schedule(cron: str | None, interval: float | None) -> None:
    """Needs a server that stays: prefect_api_url in machine.yaml, or PREFECT_API_URL."""
    if (cron is None) == (interval is None):
        raise Problem(
            "give one of --cron and --interval", remedy='seqline schedule --cron "0 3 * * *"'
        )
    machine = opened()
    settle(machine.folder)
    kind, value = _checked(cron, interval)
    url = machine.prefect_api_url or os.environ.get("PREFECT_API_URL")
    if url is None:
        raise Problem(
            "a schedule needs a Prefect server that stays",
            where="machine.yaml, prefect_api_url",
            remedy="prefect server start; then prefect_api_url: http://127.0.0.1:4200/api",
        )
    check(url)
    os.environ["PREFECT_API_URL"] = url
    say(f"serving {Path.cwd()}, {kind} {value}; stop with Ctrl-C")
    # In a process of its own: on SIGTERM, Prefect's server of schedules forgets what it started.
    code = child.run(["python", "-m", "flows.schedule", kind, value], say)
    if code != 0:
        raise Problem("the schedule ended", value=f"exit code {code}", remedy="see the lines above")


def _checked(cron: str | None, interval: float | None) -> tuple[str, str]:
    """`cron` and an expression, or `interval` and seconds; a Problem for what is none."""
    if cron is not None:
        _check_cron(cron)
        return "cron", cron
    if interval is None or not 1.0 <= interval <= MOST_SECONDS:  # nor what is no number
        raise Problem(
            "no interval to run at",
            where="--interval",
            value=interval,
            remedy="seconds, from 1 to those of a year: --interval 3600",
        )
    return "interval", str(interval)


def _check_cron(text: str) -> None:
    from prefect.client.schemas.schedules import CronSchedule

    try:
        CronSchedule(cron=text)
    except ValueError:
        raise Problem(
            "no cron expression",
            where="--cron",
            value=text,
            remedy='minute, hour, day, month, weekday: --cron "0 3 * * *"',
        ) from None
