"""The clock of a training run, the same in every system: from batch to batch, the first left out.

Task: {"data": folder of `source`, `target` (ids, a sentence a line) and `vocabulary`, "vocabulary":
8000, "shape": {layers, width, heads, feedforward, dropout, label_smoothing}, "precision": "fp32",
"tokens": target tokens of a step (EOS counted), "tuned": is a peer given what is fastest for it?,
"warm_up": 3, "steps": 20, "threads": 2, "scratch": folder, "answer": file}.

Answer: {"seconds", "processor_seconds", "batches": [[[source lengths], [target lengths]], …]} of
`steps` steps after the first `warm_up`; lengths with EOS, and without padding.
"""

import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

PAD, BOS, EOS = 0, 2, 3
Task = dict[str, Any]
Lengths = list[int]


def read_task() -> Task:
    """The task that the command line names."""
    return json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def read_ids(task: Task, side: str) -> list[list[int]]:
    """The ids of a side, without EOS."""
    lines = (Path(task["data"]) / side).read_text(encoding="utf-8").splitlines()
    return [[int(word) for word in line.split()] for line in lines]


def buckets(task: Task, sources: list[list[int]], targets: list[list[int]]) -> list[list[int]]:
    """Rows in batches of similar lengths, with so many target tokens each, in a drawn order.

    Sources of targets of one length get longer, of those of the next shorter, and so on: of several
    orders the one that pads captions least (5 % of the operations).
    """

    def lengths(row: int) -> tuple[int, int]:
        source, target = len(sources[row]), len(targets[row])
        return target, source if target % 2 else -source

    order = sorted(range(len(sources)), key=lengths)
    batches: list[list[int]] = [[]]
    held = 0
    for row in order:
        if held >= task["tokens"]:
            batches.append([])
            held = 0
        batches[-1].append(row)
        held += len(targets[row]) + 1
    random.Random(1).shuffle(batches)
    return batches


def mean_length(lengths: list[list[int]]) -> float:
    """Of the ids of a side, EOS counted."""
    return sum(map(len, lengths)) / len(lengths) + 1


class Clock:
    """Told of every batch when its step begins, it answers and ends the process in time."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.steps = 0
        self.batches: list[tuple[Lengths, Lengths]] = []
        self.start = (0.0, 0.0)

    def begin(self, sources: Lengths, targets: Lengths) -> None:
        """A step begins, on a batch of these lengths; the one before has ended."""
        first, last = self.task["warm_up"], self.task["warm_up"] + self.task["steps"]
        if self.steps == first:
            self.start = (time.perf_counter(), time.process_time())
        if self.steps == last:
            self._answer()
        if self.steps >= first:
            self.batches.append((sources, targets))
        self.steps += 1

    def _answer(self) -> None:
        """Without a last checkpoint or validation, which nobody asked for."""
        seconds, processor = time.perf_counter() - self.start[0], time.process_time()
        write_answer(self.task, seconds, processor - self.start[1], self.batches)
        sys.stdout.flush()
        os._exit(0)


def write_answer(
    task: Task, seconds: float, processor_seconds: float, batches: list[tuple[Lengths, Lengths]]
) -> None:
    answer = {"seconds": seconds, "processor_seconds": processor_seconds, "batches": batches}
    Path(task["answer"]).write_text(json.dumps(answer), encoding="utf-8")
