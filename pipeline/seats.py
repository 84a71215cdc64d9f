"""Seats: what a training worker is told, and what it says when it fails. Neither Ray nor torch.

A worker that finds a Problem or a bug writes it to `failure.json` of a folder that whoever waits
for the team looks into: the same would happen again, so no new team is started for it. A worker
that lost a peer, or was left behind by a newer team, raises a ConnectionError and leaves no such
file: nothing is wrong with the others.
"""

import json
import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files import write_json
from pipeline.machine import Machine
from pipeline.problems import Problem

FAILURE = "failure.json"


@dataclass(frozen=True, slots=True)
class Crew:
    """How many training workers, on what, and how often a lost team is replaced."""

    workers: int
    device: str  # cpu or cuda
    threads: int  # of a worker on CPU
    restarts: int
    address: str = "local"


def crew_of(machine: Machine, *, gpus: int) -> Crew:
    """The crew of this machine: where it does not say, every GPU, or a worker a core."""
    device = machine.device
    if device == "auto":
        device = "cuda" if gpus else "cpu"
    if device == "cuda" and not gpus:
        raise Problem(
            "torch finds no GPU here",
            where="machine.yaml, device",
            value=device,
            remedy="set `auto` or `cpu`, or install torch for this GPU",
        )
    threads = machine.threads_per_worker
    most = gpus if device == "cuda" else max(1, machine.cores() // threads)
    workers = most if machine.workers == "auto" else machine.workers
    return Crew(workers, device, threads, machine.worker_restarts, machine.ray_address)


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place in its team."""

    rank: int
    workers: int
    device: str  # cpu, or cuda:N
    local_rank: int = 0  # among the workers of its host
    local_workers: int = 1


Work = Callable[[Seat, Any], object]


class WorkerFailedError(RuntimeError):
    """A bug in a worker, with its traceback."""


def environment(crew: Crew) -> dict[str, str]:
    """A worker's: threads, and thresholds that keep glibc from giving memory back at each step.

    On a GPU, the workspace with which cuBLAS computes the same bits again.
    """
    variables = {
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TOP_PAD_": str(2**26),
        "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    }
    if crew.device == "cpu":
        names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
        return variables | dict.fromkeys(names, str(crew.threads))
    return variables | {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def sit(seat: Seat, *, work: Work, argument: object, crew: Crew, exchange: Path) -> None:
    """Work at this seat; leave word of a failure that would happen again."""
    if failed(exchange):
        return
    if crew.device == "cpu":
        _pin(seat, crew.threads)
    try:
        work(seat, argument)
    except ConnectionError:  # a peer is lost, or this worker's place: no failure of its own
        raise
    except Exception as error:
        write_json(exchange / FAILURE, _failure(error))
        raise


def _pin(seat: Seat, threads: int) -> None:
    """Bind this thread, and those that it starts, to cores of its own where there are enough."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) >= seat.local_workers * threads:
        first = seat.local_rank * threads
        os.sched_setaffinity(0, cores[first : first + threads])


def _failure(error: Exception) -> dict[str, Any]:
    if not isinstance(error, Problem):
        return {"traceback": "".join(traceback.format_exception(error))}
    plain = error.value is None or isinstance(error.value, str | int | float)
    return {
        "what": error.what,
        "where": error.where,
        "value": error.value if plain else repr(error.value),
        "remedy": error.remedy,
        "retry": error.retry,
    }


def failed(exchange: Path) -> bool:
    """Has a worker left word of a failure?"""
    return (exchange / FAILURE).exists()


def raise_failure(exchange: Path) -> None:
    """Raise what a worker left word of, if any did."""
    if failed(exchange):
        failure = json.loads((exchange / FAILURE).read_text(encoding="utf-8"))
        if "traceback" in failure:
            raise WorkerFailedError(f"in a training worker:\n{failure['traceback']}")
        raise Problem(failure.pop("what"), **failure)
