"""The deployment: the flow of this workspace, served on a schedule; runs never overlap."""

from pathlib import Path

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron, Interval, Schedule

from flows.retrain import retrain
from flows.talk import say


def serve(cron: str | None, interval: float | None) -> None:
    """Serve until stopped. Each run is a process of its own, which takes the workspace's lock."""
    folder = Path.cwd()
    say(f"serving {folder} on {f'cron {cron}' if cron else f'every {interval:g} s'}; stop: Ctrl-C")
    retrain.serve(
        name=folder.name,
        schedule=_schedule(cron, interval),
        parameters={"workspace": str(folder)},
        global_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        pause_on_shutdown=True,
        print_starting_message=False,
    )


def _schedule(cron: str | None, interval: float | None) -> Schedule:
    if cron is not None:
        return Cron(cron)
    assert interval is not None
    return Interval(interval)
