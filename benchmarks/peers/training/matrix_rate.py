"""The machine's rate of matrix products: TASK.json → operations a second, and by processor second.

The best of several products of 768- and 1,024-wide matrices, on all threads together, in each
precision of the task (`precisions`).
"""

import json
import time
from pathlib import Path

import torch

from peers.training.clock import read_task

TYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}
WIDTHS, REPEATS = (768, 1024), 8


def main() -> None:
    task = read_task()
    torch.set_num_threads(task["threads"])
    rates = {name: rate(TYPES[name]) for name in task["precisions"]}
    Path(task["answer"]).write_text(json.dumps(rates), encoding="utf-8")


def rate(dtype: torch.dtype) -> tuple[float, float]:
    best = (0.0, 0.0)
    for width in WIDTHS:
        left, right = (torch.randn(width, width).to(dtype) for _ in range(2))
        left @ right
        for _ in range(REPEATS):
            start, used = time.perf_counter(), time.process_time()
            left @ right
            spent = (time.perf_counter() - start, time.process_time() - used)
            best = max(best[0], 2 * width**3 / spent[0]), max(best[1], 2 * width**3 / spent[1])
    return best


if __name__ == "__main__":
    main()
