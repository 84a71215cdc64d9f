"""The machine's rate of matrix products: TASK.json → operations a second.

That of the engine's gauge, on all threads together, in each precision of the task (`precisions`).
"""

import json
from pathlib import Path

import torch

from peers.training.clock import read_task
from pipeline.models.seq2seq import COMPUTE
from pipeline.training.gauge import matrix_rate


def main() -> None:
    task = read_task()
    torch.set_num_threads(task["threads"])
    cpu = torch.device("cpu")
    rates = {name: matrix_rate(COMPUTE[name], cpu) for name in task["precisions"]}
    Path(task["answer"]).write_text(json.dumps(rates), encoding="utf-8")


if __name__ == "__main__":
    main()
