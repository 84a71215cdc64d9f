"""The data path alone: target tokens per second of batches made of shards, and planning at scale.

    python benchmarks/batching.py [--examples 10000000] [--tokens 4000] [--steps 4000]
        [--step 100000] [--planned 1000000000] [--windows 20] [--folder FOLDER] [--json FILE]

Examples are drawn (17 source and 16 target ids on average), written as encode writes them, and read
by another process as a training worker reads them: opened, the position of a far step found, then
steps taken from there on of which only the data is made: plan, ids, slots, batches. Nothing
computes on the batches. Opening is timed without checksums, as a worker opens, and with them, as
the driver does. The files are in the page cache: they were just written.

The plan of a corpus that nobody has written starts from sums per block, as that of any other does.
Its lengths are a function of the row number, worked out for the blocks of a window when it comes to
them; what that takes of the processor is left out, as reading them would be. It comes first, in a
process that has not loaded torch. Memory is the most anonymous memory of the whole reading process
(RssAnon), interpreter and libraries included.
"""

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from tables import Row, add_json, print_row, write_rows

from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards

VOCABULARY, BLOCK_ROWS, SHARD_ROWS = 8_000, 1_024, 65_536
QUANTILES = np.clip(np.random.default_rng(1).gamma(9.0, 1.75, 2**16), 1, 80).astype(np.int32)
MIB = 2**20


def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        folder = Path(name) / "train"
        write_shards(
            folder, drawn(arguments.examples), shard_rows=SHARD_ROWS, block_rows=BLOCK_ROWS,
            pieces_digest="drawn",
        )  # fmt: skip
        measures: list[tuple[Callable[..., list[Row]], tuple[Any, ...]]] = [
            (planning, (arguments.planned, arguments.tokens, arguments.step, arguments.windows)),
            (opening, (folder, arguments.tokens, arguments.step)),
            (feeding, (folder, arguments.tokens, arguments.step, arguments.steps)),
        ]
        with multiprocessing.get_context("spawn").Pool(1) as reader:
            for measure, values in measures:
                for row in reader.apply(measure, values):
                    print_row(row, first=not rows)
                    rows.append(row)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=10_000_000, help="to write and read")
    parser.add_argument("--tokens", type=int, default=4000, help="target tokens of a step")
    parser.add_argument("--steps", type=int, default=4000, help="whose batches are made")
    parser.add_argument("--step", type=int, default=100_000, help="whose position is looked for")
    parser.add_argument("--planned", type=int, default=1_000_000_000, help="examples of the plan")
    parser.add_argument("--windows", type=int, default=20, help="that are planned")
    parser.add_argument("--folder", type=Path, help="where to write; default: the temporary folder")
    add_json(parser)
    return parser.parse_args()


def drawn(count: int) -> Iterator[Any]:
    """Examples of random ids whose lengths are distributed as those of captions."""
    random = np.random.default_rng(1)
    for first in range(0, count, SHARD_ROWS):
        rows = np.arange(first, min(first + SHARD_ROWS, count))
        targets = lengths_of(rows)
        sources = np.maximum(targets + random.integers(-2, 3, len(rows), np.int32), 1) + 1
        names = pc.binary_join_element_wise("drawn", pa.array(rows).cast(pa.string()), ":")
        columns = [names, *(lists(lengths, random) for lengths in (sources, targets))]
        yield pa.RecordBatch.from_arrays(columns, schema=EXAMPLES)


def lists(lengths: Any, random: np.random.Generator) -> Any:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = random.integers(4, VOCABULARY, int(offsets[-1]), np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def lengths_of(rows: Any) -> Any:
    """Target ids of each row: a place in a table of quantiles, drawn by the row number alone."""
    bits = (rows.astype(np.uint32) ^ np.uint32(0x9E3779B9)) * np.uint32(0x85EBCA6B)
    bits = (bits ^ (bits >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return QUANTILES[(bits >> np.uint32(16)).astype(np.intp)]


def opening(folder: Path, tokens: int, step: int) -> list[Row]:
    """Open the corpus and look for a step, as a worker does and as the driver does."""
    from pipeline.batches.collate import open_examples

    settings = training(tokens)
    rows: list[Row] = []
    for verify in (False, True):
        watch = Watch()
        examples = open_examples(folder, verify=verify)
        course(examples, settings).plan.seek(step)
        what = "open and seek, checksums compared" if verify else "open and seek"
        rows.append(watch.row(what, examples.count))
    return rows


def feeding(folder: Path, tokens: int, step: int, steps: int) -> list[Row]:
    """Make the batches of steps, from a far one on."""
    from contextlib import closing
    from itertools import islice

    import torch

    from pipeline.batches.collate import open_examples
    from pipeline.training.loop import early

    examples = open_examples(folder, verify=False)
    ours = course(examples, training(tokens))
    watch = Watch()
    shares = ours.shares(ours.plan.seek(step), 0, 1)
    seen, device = 0, torch.device("cpu")
    with closing(early(shares, device)) as supply:
        for number, share in enumerate(islice(supply, steps)):
            seen += sum(len(batch.target.values) for batch in share.batches(device))
            if number % 64 == 0:
                watch.look()
    return [watch.row(f"batches of {steps:,} steps", examples.count, tokens=seen)]


def course(examples: Any, settings: Any) -> Any:
    from pipeline.batches.slots import CPU_SLOT_COST
    from pipeline.training.loop import course_of

    return course_of(examples, settings, CPU_SLOT_COST)


def training(tokens: int) -> Any:
    """Settings with steps of so many tokens; to be asked for first: it loads torch."""
    import pipeline.training.loop  # noqa: F401
    from pipeline.settings import parse
    from pipeline.training.settings import Training

    values = {
        "steps": 1_000_000,
        "tokens_per_step": tokens,
        "schedule": {"kind": "linear", "peak_rate": 0.001},
        "optimizer": {"kind": "adamw"},
        "validate_every_steps": 1_000_000,
        "checkpoint_every_steps": 1_000_000,
    }
    return parse(Training, values, "benchmark")


def planning(count: int, tokens: int, step: int, windows: int) -> list[Row]:
    """Plan a corpus that nobody has written: the order of an epoch, a far step, and windows."""
    from pipeline.batches.plan import Plan

    blocks = np.full(-(-count // BLOCK_ROWS), BLOCK_ROWS)
    blocks[-1] = count - BLOCK_ROWS * (len(blocks) - 1)
    sums = np.empty(len(blocks), np.int64)
    for first in range(0, len(blocks), 1024):  # what encode stores
        some = np.arange(first, min(first + 1024, len(blocks)))
        begins = np.cumsum(blocks[some]) - blocks[some]
        sums[some] = np.add.reduceat(tokens_of(some, blocks), begins)
    watch, spent = Watch(), [0.0]

    def lengths(some: Any) -> Any:
        began = time.process_time()
        found = tokens_of(some, blocks)
        spent[0] += time.process_time() - began
        return found

    plan = Plan(blocks, sums, lengths, seed=1, tokens_per_step=tokens)
    position = plan.seek(step)
    rows = [watch.row("plan and seek", count)]
    watch, spent[0] = Watch(), 0.0
    last = min(position.window + windows, plan.windows)
    seen = 0
    for window in range(position.window, last):
        seen += len(plan.groups(position.epoch, window))
        watch.look()
    row = watch.row(f"groups of {last - position.window} windows, {seen:,} of them", count)
    row["processor_seconds"] = round(row["processor_seconds"] - spent[0], 3)
    per_window = watch.row("a window, on average", count)
    for name in ("seconds", "processor_seconds"):
        per_window[name] = round(row[name] / (last - position.window), 4)
    return [*rows, row, per_window]


def tokens_of(some: Any, blocks: Any) -> Any:
    """Target tokens, EOS included, of each example of some blocks."""
    from pipeline.batches.sequences import places

    return lengths_of(places(some * BLOCK_ROWS, blocks[some])) + 1


class Watch:
    """Seconds of the clock and the processor since it was made, and the most memory looked at."""

    def __init__(self) -> None:
        self.most = 0.0
        self.clock, self.processor = time.perf_counter(), time.process_time()

    def look(self) -> None:
        self.most = max(self.most, anonymous())

    def row(self, what: str, examples: int, *, tokens: int = 0) -> Row:
        clock, processor = time.perf_counter() - self.clock, time.process_time() - self.processor
        self.look()
        return {
            "what": what,
            "examples": examples,
            "seconds": round(clock, 3),
            "processor_seconds": round(processor, 3),
            "tokens_per_second": round(tokens / clock),
            "tokens_per_processor_second": round(tokens / processor),
            "most_anonymous_mib": round(self.most, 1),
        }


def anonymous() -> float:
    """Anonymous memory of this process, in MiB."""
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if "RssAnon" in line) / 1024


if __name__ == "__main__":
    raise SystemExit(main())
