"""machine.yaml: where the line runs and with how many hands.

Nothing here may change a result beyond rounding, so it is never a DVC dependency. `auto` is decided
from the hardware when it is asked for.
"""

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, PositiveInt

from pipeline.settings import Settings, parse, read_yaml


class Machine(Settings):
    """The machine's settings; a missing file means the defaults."""

    workers: PositiveInt | Literal["auto"] = "auto"
    """Training workers. auto: every GPU, or one a core."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """cpu, cuda, or auto: cuda where torch finds one."""
    threads_per_worker: int = Field(1, ge=1)
    """Threads of a training worker on CPU. One pinned thread a core is the fastest measured."""
    slot_cost: PositiveInt | Literal["auto"] = "auto"
    """Estimated cost of a slot, in positions (source + target). auto: from the device's memory."""
    data_processes: PositiveInt | Literal["auto"] = "auto"
    """Processes of the data stages. auto: one a core."""
    decode_batch: int = Field(64, ge=1)
    """Sentences decoded side by side."""
    checkpoint_seconds: float = Field(60.0, gt=0)
    """Seconds between unplanned checkpoints (planned ones come every n steps: params.yaml)."""
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
        """Cores that this process may use."""
        return len(os.sched_getaffinity(0))

    def processes(self) -> int:
        """Processes of a data stage."""
        return self.cores() if self.data_processes == "auto" else self.data_processes


def read_machine(path: Path = Path("machine.yaml")) -> Machine:
    """The settings of `path`, or the defaults where there is no such file."""
    return parse(Machine, read_yaml(path) if path.exists() else {}, str(path))
