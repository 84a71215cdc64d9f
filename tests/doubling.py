"""A function of a batch that other processes can import: what `spread` carries in its tests."""

import os
import signal
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.problems import Problem


@dataclass(frozen=True)
class Doubler:
    """n → 2 n, and the process that did it."""

    fail_at: int | None = None
    die_at: int | None = None

    def __call__(self, batch):
        numbers = np.asarray(batch["n"])
        if self.fail_at in numbers.tolist():
            raise Problem("a bad row", where="file, line 7")
        if self.die_at in numbers.tolist():
            os.kill(os.getpid(), signal.SIGKILL)
        columns = [pa.array(numbers * 2), pa.array([os.getpid()] * len(numbers))]
        return pa.record_batch(columns, ["doubled", "pid"])
