"""Cost of dropout, forward and backward, on one thread: torch's and that of the example's own keys.

    python benchmarks/dropout.py [--repeats 8] [--json FILE]

Seconds are those of the processor; the best of the repeats counts.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import torch
from tables import add_json, write_rows
from torch import Tensor
from torch.nn import functional

from pipeline.models.dropout import Dropout, mix

ROWS, RATE = 2000, 0.1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=8)
    add_json(parser)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rows = [
        measure(dtype, channels, arguments.repeats)
        for dtype in (torch.float32, torch.bfloat16)
        for channels in (256, 1024)
    ]
    print(" ".join(f"{name:>16}" for name in rows[0]))
    for row in rows:
        print(" ".join(f"{value:>16}" for value in row.values()))
    write_rows(arguments.json, rows)
    return 0


def measure(dtype: torch.dtype, channels: int, repeats: int) -> dict[str, Any]:
    vectors = torch.randn(ROWS, channels).to(dtype).requires_grad_()
    slope, keys, ours = torch.randn_like(vectors), mix(torch.arange(ROWS)), Dropout(RATE)
    theirs = microseconds(lambda: functional.dropout(vectors, RATE), vectors, slope, repeats)
    own = microseconds(lambda: ours(vectors, keys), vectors, slope, repeats)
    return {
        "type": str(dtype).removeprefix("torch."),
        "rows": ROWS,
        "channels": channels,
        "torch_us": round(theirs),
        "ours_us": round(own),
        "share": round(own / theirs, 2),
    }


def microseconds(
    forward: Callable[[], Tensor], vectors: Tensor, slope: Tensor, repeats: int
) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.thread_time()
        for _ in range(10):
            torch.autograd.grad(forward(), vectors, slope)
        best = min(best, (time.thread_time() - start) / 10)
    return 1e6 * best


if __name__ == "__main__":
    raise SystemExit(main())
