"""How a process takes its turns: a task as a line of JSON comes in, an answer goes out.

Task: {"sources": [[11, 12, 3], …], "precision": "fp32", "beam_size": 5, "batch": 64,
"length": 15}; ids with EOS. `length` is how many ids each hypothesis has, EOS counted; null lets
the model end. Answer: the hypotheses' ids without EOS. Nobody else writes to standard output.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

PAD, UNKNOWN, BOS, EOS = 0, 1, 2, 3
Ids = list[int]


def serve(decode: Callable[[dict[str, Any]], list[Ids]]) -> None:
    """Answer until the input ends."""
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        answers.write(json.dumps(decode(json.loads(line))) + "\n")
        answers.flush()


def batches(sources: Sequence[Ids], batch: int) -> Iterator[list[int]]:
    """Rows in batches of similar lengths, longest first."""
    order = sorted(range(len(sources)), key=lambda row: -len(sources[row]))
    for start in range(0, len(order), batch):
        yield order[start : start + batch]


def limit(task: dict[str, Any], longest: int) -> int:
    """The most ids of a hypothesis, EOS counted: our own default for the longest source."""
    return task["length"] or 2 * longest + 10


def until_eos(ids: Ids) -> Ids:
    """What stands before the first EOS."""
    return ids[: ids.index(EOS)] if EOS in ids else ids
