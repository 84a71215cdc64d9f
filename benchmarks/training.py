"""Speed of training beside its peers: the same model, ids, threads and run.

    python benchmarks/training.py [--corpora FOLDER] [--systems ours eole huggingface joeynmt]
        [--precisions fp32 bf16] [--setups tuned own] [--steps 20] [--rounds 3] [--json FILE]

A Transformer of 3+3 layers, width 256, 4 heads and 1,024 inner channels on Multi30k de→en with
8,000 joint pieces; dropout 0.1 (not of attention), label smoothing 0.1, AdamW, gradients clipped;
steps of about 4,000 target tokens. In every round each system takes the same number of steps in
each precision, in a process of its own that begins anew; what it needs to start, its first steps
and its end don't count. `peers/training` says how each is set up.

`target_tokens_per_second` counts real target tokens, EOS included. `mfu` is the share of this
machine's matrix products (the best of several, in the same round and on as many threads) that the
operations which the tokens need come to; operations on padding are not among them. `padding` is
the share of the operations made that are spent on it. `peak_memory_mib`: RssAnon of all processes
of a system together, looked at every second. `target_tokens_per_processor_second` goes by the time
of the processor instead of the clock, for a machine that does other things, too. `times_ours` is
relative to ours in the same round and precision. All are medians over the rounds.

A machine whose processor has no products in bf16 measures fp32 alone, if not told otherwise.

A peer runs in two setups: `tuned`, with all that was found to be fastest for it (the allocator of
our workers, batches of similar lengths by tokens, attention by plain products), and `own`, as it
comes, with the best of its own options. `peers/training` says what. Ours has only its own.

The peers are installed into environments of their own below `--peers`, and kept there.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memory import Watch
from peers.training.operations import Batch, Model
from peers.training.systems import OURS, SETUPS, SYSTEMS, entrants, python_of, variables
from runs import RECIPE, bench, data
from tables import Row, add_json, print_row, write_rows

from pipeline.pieces.pieces import Pieces
from pipeline.shards.read import open_shards

HERE = Path(__file__).resolve().parent
SHAPE = {
    "layers": 3,
    "width": 256,
    "heads": 4,
    "feedforward": 1024,
    "dropout": 0.1,
    "label_smoothing": 0.1,
}
EOS = 1  # id more than a side's own
PRECISIONS = ("fp32", "bf16")


def main() -> int:
    arguments = parse_arguments()
    pythons = {name: python_of(name, arguments.peers) for name in arguments.systems}
    with tempfile.TemporaryDirectory() as scratch:
        course = Course(arguments, Path(scratch))
        rounds = [list(course.round(pythons)) for _ in range(arguments.rounds)]
    rows = [row_of(list(runs)) for runs in zip(*rounds, strict=True)]
    for number, row in enumerate(rows):
        print_row(row, first=number == 0)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipe", type=Path, default=RECIPE, help="whose data they are")
    parser.add_argument("--corpora", type=Path, help="the folder of corpora, if not the recipe's")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--precisions", nargs="+", choices=PRECISIONS, default=precisions())
    parser.add_argument("--setups", nargs="+", choices=SETUPS, default=list(SETUPS))
    parser.add_argument("--tokens", type=int, default=4000, help="target tokens of a step")
    parser.add_argument("--steps", type=int, default=20, help="that count, of each run")
    parser.add_argument("--warm-up", type=int, default=4, help="steps before them")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    place = Path(tempfile.gettempdir())
    parser.add_argument("--folder", type=Path, default=place / "seqline-training", help="of data")
    peers = place / "seqline-training-peers"
    parser.add_argument("--peers", type=Path, default=peers, help="of the peers' environments")
    add_json(parser)
    return parser.parse_args()


def precisions() -> list[str]:
    """Both, where this machine has products in bf16: without them these take many times as long."""
    import torch

    return list(PRECISIONS) if torch.ops.mkldnn._is_mkldnn_bf16_supported() else ["fp32"]


@dataclass(frozen=True)
class Run:
    """What a system did in a round."""

    system: str
    setup: str
    precision: str
    tokens: float  # target tokens of a step
    speed: float  # target tokens a second
    processor_speed: float  # and for each second of the processor
    mfu: float
    padding: float
    memory: float  # MiB
    times_ours: float | None


class Course:
    """The corpus as all systems read it, and who runs on it."""

    def __init__(self, arguments: argparse.Namespace, scratch: Path) -> None:
        self.arguments, self.scratch = arguments, scratch
        source = argparse.Namespace(**vars(arguments), short=1, rates=[], precision="fp32")
        made = data(arguments.folder, bench(source).params)
        self.shards = made / "shards" / "train"
        self.vocabulary = Pieces.read(made / "pieces").target_vocabulary
        self.model = Model(SHAPE, self.vocabulary)
        lengths = write_text(self.shards, self.vocabulary, scratch / "data")
        self.operations = self.model.needed(lengths) / sum(lengths[1])  # of a target token

    def round(self, pythons: dict[str, Path]) -> Iterator[Run]:
        """Every system in every precision that it knows, one after the other."""
        precisions = {"precisions": self.arguments.precisions}
        rates, _ = self._run("matrix_rate", Path(sys.executable), precisions, tuned=True)
        for precision in self.arguments.precisions:
            ours: float | None = None
            for name, setup in entrants(list(pythons), self.arguments.setups, precision):
                run = self._measured(name, setup, pythons[name], precision, rates[precision], ours)
                ours = run.speed if name == OURS else ours
                print(run, file=sys.stderr, flush=True)
                yield run

    def _measured(
        self,
        name: str,
        setup: str,
        python: Path,
        precision: str,
        rate: float,
        ours: float | None,
    ) -> Run:
        module, tuned = SYSTEMS[name].module, setup == "tuned"
        answer, memory = self._run(module, python, {"precision": precision}, tuned=tuned)
        batches: list[Batch] = [(sources, targets) for sources, targets in answer["batches"]]
        tokens = sum(sum(targets) for _, targets in batches)
        made = sum(self.model.made(batch, flat=name == OURS) for batch in batches)
        needed = sum(map(self.model.needed, batches))
        speed, used = tokens / answer["seconds"], tokens / answer["processor_seconds"]
        return Run(
            system=name,
            setup=setup,
            precision=precision,
            tokens=tokens / self.arguments.steps,
            speed=speed,
            processor_speed=used,
            mfu=self.operations * speed / rate,
            padding=1 - needed / made,
            memory=memory / 2**20,
            times_ours=None if ours is None and name != OURS else speed / (ours or speed),
        )

    def _run(
        self, module: str, python: Path, extra: dict[str, Any], *, tuned: bool
    ) -> tuple[Any, int]:
        """A module's answer, and the memory of its processes."""
        own = Path(tempfile.mkdtemp(dir=self.scratch))
        arguments = self.arguments
        task = {
            "data": str(self.scratch / "data"),
            "shards": str(self.shards.resolve()),
            "vocabulary": self.vocabulary,
            "shape": SHAPE,
            "tokens": arguments.tokens,
            "warm_up": arguments.warm_up,
            "steps": arguments.steps,
            "threads": arguments.threads,
            "scratch": str(own / "scratch"),
            "answer": str(own / "answer.json"),
            "tuned": tuned,
            **extra,
        }
        (own / "task.json").write_text(json.dumps(task), encoding="utf-8")
        command = [str(python), "-m", f"peers.training.{module}", str(own / "task.json")]
        with (own / "log").open("w") as log:
            process = subprocess.Popen(
                command, env=variables(arguments.threads, tuned=tuned), stdout=log, stderr=log
            )
            with Watch(process.pid, every=1.0) as watch:
                code = process.wait()
        if code:
            raise SystemExit(f"{module} failed:\n{(own / 'log').read_text()[-4000:]}")
        return json.loads((own / "answer.json").read_text(encoding="utf-8")), watch.peak


def write_text(shards: Path, vocabulary: int, folder: Path) -> Batch:
    """The train set as ids, a sentence a line, and the ids as words of a vocabulary; lengths."""
    folder.mkdir()
    opened = open_shards(shards)
    rows = [row for block in range(len(opened.blocks)) for row in opened.block(block).to_pylist()]
    sides = [row["source"][:-EOS] for row in rows], [row["target"] for row in rows]
    for name, side in zip(("source", "target"), sides, strict=True):
        lines = (" ".join(map(str, ids)) + "\n" for ids in side)
        (folder / name).write_text("".join(lines), encoding="utf-8")
    words = "".join(f"{number}\n" for number in range(4, vocabulary))  # each adds special ones
    (folder / "vocabulary").write_text(words, encoding="utf-8")
    return [len(ids) + EOS for ids in sides[0]], [len(ids) + EOS for ids in sides[1]]


def row_of(runs: Sequence[Run]) -> Row:
    """The medians of a system's rounds."""

    def middle(name: str, digits: int = 0) -> float | int:
        value = round(statistics.median(getattr(run, name) for run in runs), digits)
        return value if digits else int(value)

    return {
        "system": runs[0].system,
        "setup": runs[0].setup,
        "precision": runs[0].precision,
        "target_tokens_per_second": middle("speed"),
        "target_tokens_per_processor_second": middle("processor_speed"),
        "times_ours": None if runs[0].times_ours is None else middle("times_ours", 2),
        "mfu": middle("mfu", 3),
        "padding": middle("padding", 3),
        "peak_memory_mib": middle("memory"),
        "target_tokens_per_step": middle("tokens"),
        "rounds": len(runs),
    }


if __name__ == "__main__":
    raise SystemExit(main())
