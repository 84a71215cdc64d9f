"""Speed of training on a GPU: Transformer-base and -big by the engine alone, without Ray.

    python benchmarks/gpu.py [--models base big] [--shards FOLDER] [--tokens 25000] [--steps 30]
        [--compile false true] [--peak-tflops 989] [--json FILE]

The models of "Attention is all you need" (Vaswani et al. 2017, table 3) with its dropout, label
smoothing, shared embeddings of 37,000 pieces, schedule, and steps of about 25,000 target tokens.
Everything that a step does counts: cutting, collating and copying, forward, backward, clipping,
AdamW. The shards are drawn with lengths as of the newspaper sentences of WMT; `--shards` adds those
of a folder (`artifacts/shards/train`). Needed are batches, models and training of this project, so
torch, numpy, pyarrow, pydantic, PyYAML, jaxtyping and safetensors, on the one device.

`mfu` is the share of this device's matrix products (the best of many, measured before and after the
steps, in the same precision) that the operations of the real tokens come to; `mfu_of_peak` the same
of a peak from a data sheet (`--peak-tflops`). `padding` is the share of the operations that padded
views need for it: attention has them on a processor and in fp32, and none where it is fused.
`peak_memory_mib` is the most that torch held on a GPU; on a processor, what the whole process holds
at the end. On a processor it is a small model, to show that all of it works.
"""

import argparse
import gc
import json
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from memory import anonymous
from tables import Row, add_json, print_row, write_rows

from pipeline.batches.collate import open_examples
from pipeline.batches.plan import Position
from pipeline.batches.slots import slot_cost
from pipeline.models.products import has_bf16
from pipeline.models.seq2seq import COMPUTE, build
from pipeline.models.settings import ModelSettings
from pipeline.settings import parse
from pipeline.shards.schema import EXAMPLES
from pipeline.shards.write import write_shards
from pipeline.training.compiler import compiled_steps
from pipeline.training.device import prepare
from pipeline.training.gauge import Gauge, gauge_of, matrix_rate
from pipeline.training.loop import course_of, steps
from pipeline.training.settings import Training
from pipeline.training.step import Hands, hands_of
from pipeline.training.team import Team

BLOCK_ROWS = 1024


@dataclass(frozen=True)
class Shape:
    """A model of table 3, and what it is trained with."""

    layers: int
    width: int
    heads: int
    feedforward: int
    dropout: float


SHAPES = {
    "small": Shape(2, 64, 4, 256, 0.1),
    "base": Shape(6, 512, 8, 2048, 0.1),
    "big": Shape(6, 1024, 16, 4096, 0.3),
}


def main() -> int:
    arguments = parse_arguments()
    device = torch.device(arguments.device)
    prepare(device, strict=True)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        made = folders(arguments, Path(name))
        for data, model, compiled in product(made, arguments.models, arguments.compile):
            rows.append(measured(arguments, device, model, data, made[data], compiled=compiled))
            print_row(rows[-1], first=len(rows) == 1)
    write_rows(arguments.json, rows)
    return 0


def parse_arguments() -> argparse.Namespace:
    gpu = torch.cuda.is_available()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda" if gpu else "cpu")
    models = ["base", "big"] if gpu else ["small"]
    parser.add_argument("--models", nargs="+", choices=SHAPES, default=models)
    precision = "bf16" if gpu or has_bf16() else "fp32"
    parser.add_argument("--precision", choices=("fp32", "bf16"), default=precision)
    compiled = [False, True] if gpu else [False]
    parser.add_argument(
        "--compile", nargs="+", type=json.loads, choices=(False, True), default=compiled,
        help="without and with torch.compile: false true",
    )  # fmt: skip
    parser.add_argument("--shards", type=Path, help="a folder of shards, beside those drawn")
    parser.add_argument("--vocabulary", type=int, default=37_000, help="shared pieces")
    tokens = 25_000 if gpu else 1_000
    parser.add_argument("--tokens", type=int, default=tokens, help="target tokens of a step")
    parser.add_argument("--steps", type=int, default=30, help="that count")
    parser.add_argument("--warm-up", type=int, default=5, help="steps before them")
    parser.add_argument("--peak-tflops", type=float, help="of the device's data sheet")
    add_json(parser)
    return parser.parse_args()


def folders(arguments: argparse.Namespace, scratch: Path) -> dict[str, Path]:
    """The folders of shards by the name of what is in them."""
    pairs = max(BLOCK_ROWS, arguments.tokens * (arguments.steps + arguments.warm_up) // 20)
    draw_shards(scratch / "drawn", pairs, arguments.vocabulary)
    found = {"drawn": scratch / "drawn"}
    return found if arguments.shards is None else {**found, "shards": arguments.shards}


def draw_shards(folder: Path, pairs: int, vocabulary: int) -> None:
    """Random ids; 5 to 200 of them, half of the sources with 25 and more, targets about as many."""
    random = np.random.default_rng(1)
    sources = random.lognormal(np.log(25), 0.55, pairs)
    sides = [sources, sources * random.normal(1.0, 0.12, pairs)]
    columns = [lists(side.clip(5, 200).astype(np.int64), vocabulary, random) for side in sides]
    names = pa.array([f"drawn:{row}" for row in range(pairs)])
    batch = pa.RecordBatch.from_arrays([names, *columns], schema=EXAMPLES)
    write_shards(folder, [batch], shard_rows=65_536, block_rows=BLOCK_ROWS, pieces_digest="drawn")


def lists(lengths: Any, vocabulary: int, random: np.random.Generator) -> Any:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = random.integers(4, vocabulary, int(offsets[-1]), np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(values))


def measured(
    arguments: argparse.Namespace,
    device: torch.device,
    name: str,
    data: str,
    folder: Path,
    *,
    compiled: bool,
) -> Row:
    """Take steps; what they came to."""
    clear(device)
    shape, vocabulary = SHAPES[name], arguments.vocabulary
    count = arguments.warm_up + arguments.steps
    training = parse(Training, training_values(shape, arguments, count), "benchmark")
    course = course_of(open_examples(folder), training, slot_cost("auto", device))
    course.examples.shards.check_ids(vocabulary, vocabulary)
    hands, gauge = started(shape, training, device, vocabulary)
    with compiled_steps(compiled, hands.holding.learner, course, device, report=print):
        begin = {"start": Position(), "done": 0, "rate_factor": 1.0}
        taken = steps(hands, course, training, **begin, stop=lambda: False)
        for _ in islice(taken, arguments.warm_up):
            pass
        seconds, done = timed(device, lambda: [step for step, _ in islice(taken, arguments.steps)])
    memory = peak_memory(device)
    best = max(gauge.peak, matrix_rate(COMPUTE[training.precision], device))
    tokens = sum(step.tokens for step in done)
    groups = [step.supply.padding for step in done if step.supply]
    needed, made = sum(map(gauge.needed, groups)), sum(map(gauge.made, groups))
    rate, peak = needed / seconds, arguments.peak_tflops
    return {
        "model": name,
        "data": data,
        "precision": arguments.precision,
        "compiled": compiled,
        "million_parameters": round(
            sum(each.numel() for each in hands.holding.parameters.values()) / 1e6, 1
        ),
        "target_tokens_per_second": round(tokens / seconds),
        "milliseconds_per_step": round(1e3 * seconds / arguments.steps, 1),
        "tflops": round(rate / 1e12, 3),
        "matrix_tflops": round(best / 1e12, 3),
        "mfu": round(rate / best, 3),
        "mfu_of_peak": None if peak is None else round(rate / 1e12 / peak, 3),
        "padding": round(1 - needed / made, 4),
        "peak_memory_mib": round(memory / 2**20),
    }


def started(
    shape: Shape, training: Training, device: torch.device, vocabulary: int
) -> tuple[Hands, Gauge]:
    """What a model with fresh weights takes steps with, and what these are held against."""
    settings = parse(ModelSettings, model_values(shape), "benchmark")
    sizes = (vocabulary, vocabulary)
    model = build(settings, *sizes, shared=True, precision=training.precision, seed=training.seed)
    parameters, team = dict(model.to(device).named_parameters()), Team(device=device)
    gauge = gauge_of(model, COMPUTE[training.precision], team)
    optimizer = training.optimizer.build(parameters)
    hands = hands_of(model, optimizer, team, training.optimizer.clip_norm)
    return hands, gauge


def model_values(shape: Shape) -> dict[str, Any]:
    """The section `model` of params.yaml."""
    side = {
        "kind": "transformer",
        "layers": shape.layers,
        "heads": shape.heads,
        "feedforward": shape.feedforward,
        "dropout": shape.dropout,
        "norm_first": False,
    }
    return {
        "width": shape.width,
        "front": {"kind": "ids"},
        "encoder": side,
        "decoder": side,
        "generator": {"kind": "softmax", "label_smoothing": 0.1},
        "embeddings": "tied",
    }


def training_values(shape: Shape, arguments: argparse.Namespace, count: int) -> dict[str, Any]:
    """The section `training`: the schedule's peak is (width · warm-up)^-0.5 (section 5.3)."""
    warm_up = 4_000
    peak = (shape.width * warm_up) ** -0.5
    return {
        "steps": max(count, warm_up),
        "tokens_per_step": arguments.tokens,
        "precision": arguments.precision,
        "schedule": {"kind": "inverse_sqrt", "peak_rate": peak, "warmup_steps": warm_up},
        "optimizer": {"kind": "adamw", "betas": [0.9, 0.98], "epsilon": 1e-9, "clip_norm": 1.0},
        "validate_every_steps": warm_up,
        "checkpoint_every_steps": warm_up,
        "best_by": "loss",
    }


def timed(device: torch.device, work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds until the device has done it, and what it gave."""
    wait(device)
    begun = time.perf_counter()
    result = work()
    wait(device)
    return time.perf_counter() - begun, result


def wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def clear(device: torch.device) -> None:
    """Give the memory of the last row back, and forget how much it was."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory(device: torch.device) -> int:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return anonymous(os.getpid())


if __name__ == "__main__":
    raise SystemExit(main())
