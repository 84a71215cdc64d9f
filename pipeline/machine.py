"""machine.yaml: where the line runs and with how many hands.

Nothing here may change a result beyond rounding, so it is never a DVC dependency. `auto` is decided
from the hardware when it is asked for.
"""

import math
import os
import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveInt, model_validator

from pipeline.problems import Problem
from pipeline.settings import Settings, parse, read_yaml

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
ADDRESS = r"^s3://[a-z0-9][a-z0-9.-]*[a-z0-9](/[^/\s]+)*/?$"
SCHEME = re.compile(r"[a-z0-9]{2,}:/")


class Machine(Settings):
    """The machine's settings; a missing file means the defaults."""

    workers: PositiveInt | tuple[PositiveInt, PositiveInt] | Literal["auto"] = "auto"
    """Training workers. auto: every GPU, or cores / threads_per_worker. [least, most]: as many as a
    cluster has room for, and more when it has more."""
    resize_seconds: float = Field(60.0, gt=0)
    """Seconds between two looks whether there is room for more workers, where `workers` is
    [least, most]. A team that grows goes on from its last checkpoint."""
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
    shard_model: bool = False
    """Whether a team of several workers shares the weights, their moments and their moving average
    out among them (FSDP2), for models that none of them can hold; slower where one can, and not
    compiled."""
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
    state: Path | Annotated[str, Field(pattern=ADDRESS)] = Path("state")
    """Checkpoints, progress, Prefect's files: a folder. Or s3://bucket/prefix for what any host
    goes on with; then only what is this workspace's own is in the folder `state`. May be deleted at
    the cost of time only."""
    cache: Path = Path("~/.cache/seqline")
    """A folder of each host that trains, where `state` is on S3: parts of the shards that it has
    read, and the run that it works on."""
    cache_gib: float = Field(20.0, gt=0)
    """GiB of parts of shards that the cache holds; the ones not read for longest go."""
    price_per_hour: float = Field(0.0, ge=0)
    """Price of one hour of this machine, for the bill; 0 prints time only."""
    currency: str = "EUR"
    """The currency of the price."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if isinstance(self.workers, tuple) and self.workers[0] > self.workers[1]:
            raise ValueError("workers: [least, most], the smaller number first")
        if isinstance(self.state, Path) and SCHEME.match(self.state.as_posix()):
            raise ValueError("state: a folder, or s3://bucket/prefix")
        if self.shard_model and self.compile is True:
            raise ValueError("compile: a model that is shared out (shard_model) is not compiled")
        return self

    @property
    def folder(self) -> Path:
        """The folder of what is this workspace's own: locks, times, what a driver sees of runs."""
        return self.state if isinstance(self.state, Path) else Path("state")

    @property
    def address(self) -> str | None:
        """Where runs and their inputs are kept for any host; None: in `folder`."""
        return None if isinstance(self.state, Path) else self.state

    @property
    def compiles(self) -> bool | Literal["auto"]:
        """Whether steps are compiled: never those of a model that is shared out."""
        return False if self.shard_model else self.compile

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
