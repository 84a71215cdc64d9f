"""The deployment: the flow of this workspace, served on a schedule; runs never overlap.

`python -m flows.schedule cron "0 3 * * *"` or `… interval 3600`, in the workspace, until stopped;
`seqline schedule` starts it, and has looked at what it is given.
"""

import sys
from pathlib import Path

from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
from prefect.schedules import Cron, Interval, Schedule

from flows.retrain import retrain


def serve(schedule: Schedule) -> None:
    """Serve until stopped. Each run is a process of its own, which takes the workspace's lock."""
    folder = Path.cwd()
    retrain.serve(
        name=folder.name,
        schedule=schedule,
        parameters={"workspace": str(folder)},
        global_limit=ConcurrencyLimitConfig(
            limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
        ),
        pause_on_shutdown=True,
        print_starting_message=False,
    )


def main(kind: str, value: str) -> None:
    """The program."""
    serve(Cron(value) if kind == "cron" else Interval(float(value)))


if __name__ == "__main__":
    main(*sys.argv[1:])
