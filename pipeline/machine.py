"""machine.yaml: where the line runs and with how many hands.

Nothing here may change a result beyond rounding, so it is never a DVC dependency. `auto` is decided
from the hardware when it is asked for.
"""

import math
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt

from pipeline.problems import Problem
from pipeline.settings import Settings, parse, read_yaml

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")


class Machine(Settings):
    """The machine's settings; a missing file means the defaults."""

    workers: PositiveInt | Literal["auto"] = "auto"
    """Training workers. auto: every GPU, or cores / threads_per_worker."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """cpu, cuda, or auto: cuda where torch finds one."""
    threads_per_worker: int = Field(1, ge=1)
    """Threads of a training worker on CPU, pinned to cores of its own where there are enough."""
    slot_cost: PositiveInt | Literal["auto"] = "auto"
    """Estimated cost of a slot, in positions (source + target). auto: 4,096 on CPU, 512 for each
    GiB of a GPU's memory."""
    compile: bool | Literal["auto"] = "auto"
    """Whether torch.compile fuses what a training step does beside products and attention. auto: on
    a GPU, where the compiler works there."""
    data_processes: PositiveInt | Literal["auto"] = "auto"
    """Processes of clean, encode and, on CPU, decode. auto: one a core."""
    decode_batch: int = Field(64, ge=1)
    """Sentences decoded side by side."""
    checkpoint_seconds: float = Field(60.0, gt=0)
    """Seconds between unplanned checkpoints (planned ones come every n steps: params.yaml)."""
    slow_share: float | None = Field(0.5, gt=0, lt=1)
    """Training that falls below this share of its usual speed (the running median) is reported;
    null: never."""
    silence_seconds: float | None = Field(300.0, gt=0)
    """Seconds in which no step and no validation of a training has ended, before that is reported;
    null: never."""
    worker_restarts: int = Field(3, ge=0)
    """How often a lost worker group is started again."""
    ray_address: str = "local"
    """`local` starts Ray for the run; an address joins a cluster."""
    mlflow_uri: str = "sqlite:///registry/mlflow.db"
    """Where MLflow keeps runs and versions; a path after sqlite:/// is from the workspace on."""
    prefect_api_url: str | None = None
    """A Prefect server's API, or null: one is started for the run."""
    state: Path = Path("state")
    """Checkpoints, progress, Prefect's files. May be deleted at the cost of time only."""
    price_per_hour: float = Field(0.0, ge=0)
    """Price of one hour of this machine, for the bill; 0 prints time only."""
    currency: str = "EUR"
    """The currency of the price."""

    def cores(self) -> int:
        """Cores that this process may use; where a container has a share of time, as many."""
        return math.ceil(min(len(os.sched_getaffinity(0)), time_share()))

    def processes(self) -> int:
        """Processes among which a stage spreads its rows."""
        return self.cores() if self.data_processes == "auto" else self.data_processes


def read_machine(path: Path = Path("machine.yaml")) -> Machine:
    """The settings of `path`, or the defaults where there is no such file."""
    return parse(Machine, read_yaml(path) if path.exists() else {}, str(path))


def time_share(own: Path = OWN_GROUPS, groups: Path = GROUPS) -> float:
    """Cores' worth of time that the control groups (v2) around this process leave it."""
    try:
        lines = own.read_text(encoding="utf-8").splitlines()
    except OSError:
        return math.inf
    names = [line.removeprefix("0::/") for line in lines if line.startswith("0::/")]
    places = [place for name in names for place in (groups / name, *(groups / name).parents)]
    return min(map(_limit, places), default=math.inf)


def _limit(place: Path) -> float:
    """A group's own limit: `cpu.max` holds microseconds of time and of the period, or "max"."""
    try:
        quota, period = (place / "cpu.max").read_text(encoding="utf-8").split()
    except (OSError, ValueError):  # the uppermost group has none
        return math.inf
    return math.inf if quota == "max" else int(quota) / int(period)


def no_cluster(address: str, error: Exception) -> Problem:
    """The Problem of a `ray_address` where no cluster answers."""
    return Problem(
        "no Ray cluster answers",
        where="machine.yaml, ray_address",
        value=address,
        remedy=f"start it, or set `local` ({error})",
        retry=True,
    )
