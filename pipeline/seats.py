"""Seats: what a training worker is told, and what it says when it fails. Neither Ray nor torch.

Driver and workers meet at a desk. A worker that finds a Problem or a bug leaves word of it there,
and whoever waits for the team raises it: the same would happen again, so no new team is started for
it. A worker that lost a peer, or was left behind by a newer team, raises a ConnectionError and
leaves no word: nothing is wrong with the others.
"""

import os
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from pipeline.machine import Machine
from pipeline.problems import Problem

SECONDS_PER_QUESTION = 0.3
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
# Kept ready by oneDNN, for which a slot of a GRU asks again and again; and by torch above it.
PRODUCTS = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "384", "LRU_CACHE_CAPACITY": "128"}


@dataclass(frozen=True, slots=True)
class Crew:
    """How many training workers, on what, and how often a lost team is replaced."""

    workers: int
    device: str  # cpu or cuda
    threads: int  # of a worker on CPU
    restarts: int
    address: str = "local"
    least: int | None = None  # of an elastic team, which has from so many to `workers`
    resize_seconds: float = 60.0  # between two looks whether it may grow


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
    asked = most if machine.workers == "auto" else machine.workers
    least, workers = asked if isinstance(asked, tuple) else (None, asked)
    return Crew(
        workers,
        device,
        threads,
        machine.worker_restarts,
        machine.ray_address,
        least,
        machine.resize_seconds,
    )


def needs(crew: Crew) -> dict[str, float]:
    """What a worker takes of its host."""
    return {"CPU": 1.0} | ({"GPU": 1.0} if crew.device == "cuda" else {})


def check_room(crew: Crew, resources: Mapping[str, float]) -> None:
    """A Problem where a cluster of these resources can never hold the team: Ray would wait."""
    least = crew.workers if crew.least is None else crew.least
    for name, each in needs(crew).items():
        there = resources.get(name, 0)
        if there < each * least:
            raise Problem(
                f"the Ray cluster has no room for {least} training workers",
                where="machine.yaml, workers",
                value=f"{there:g} {name}, of which each worker takes {each:g}",
                remedy=f"at most {there / each:.0f} workers, or a larger cluster",
                retry=True,
            )


@dataclass(frozen=True, slots=True)
class Seat:
    """A worker's place in its team."""

    rank: int
    workers: int
    device: str  # cpu, or cuda:N
    local_rank: int = 0  # among the workers of its host
    local_workers: int = 1
    stop: Callable[[], bool] = bool  # is the team to stop?
    waited: Callable[[], float] = float  # seconds since that was known


class Desk:
    """Where a driver and its workers meet: the first failure, and the wish to stop."""

    def __init__(self) -> None:
        self._failure: dict[str, Any] | None = None
        self._wished = False

    def fail(self, failure: dict[str, Any]) -> None:
        """Leave word of a failure; the first one counts."""
        self._failure = self._failure or failure

    def failure(self) -> dict[str, Any] | None:
        """What the first worker that failed left, if any did."""
        return self._failure

    def wish(self) -> None:
        """Wish the team to stop."""
        self._wished = True

    def wished(self) -> bool:
        """Is it wished?"""
        return self._wished


class Meeting(Protocol):
    """What a worker needs of a desk."""

    def fail(self, failure: dict[str, Any]) -> None:
        """Leave word of a failure."""
        ...

    def failure(self) -> dict[str, Any] | None:
        """The first failure."""
        ...

    def wished(self) -> bool:
        """Is the team to stop?"""
        ...


class Wish:
    """The wish to stop, which a thread asks for now and then, so that no step has to."""

    def __init__(self, wished: Callable[[], bool]) -> None:
        self._wished, self._since = wished, 0.0
        threading.Thread(target=self._ask, name="wish", daemon=True).start()

    def _ask(self) -> None:
        while not self._wished():
            time.sleep(SECONDS_PER_QUESTION)
        self._since = time.monotonic()

    def __call__(self) -> bool:
        """Is it known?"""
        return self._since > 0

    def waited(self) -> float:
        """Seconds since it was known."""
        return time.monotonic() - self._since if self() else 0.0


Work = Callable[[Seat, Any], object]


class WorkerFailedError(RuntimeError):
    """A bug in a worker, with its traceback."""


def environment(crew: Crew) -> dict[str, str]:
    """A worker's: threads, and thresholds that keep glibc from giving memory back at each step.

    On a CPU, how many products oneDNN, and torch above it, keep ready by their shapes: of their own
    accord 1,024 each, half a megabyte a shape in bf16, though hardly a step has the shapes of
    another. Each holds a part of what the other lets go. On a GPU, the workspace with which cuBLAS
    computes the same bits again.
    """
    variables = {
        "MALLOC_MMAP_THRESHOLD_": str(2**30),
        "MALLOC_TOP_PAD_": str(2**26),
        "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1),
    }
    if crew.device == "cpu":
        threads = dict.fromkeys(THREADS, str(crew.threads))
        return variables | threads | PRODUCTS
    return variables | {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}


def sit(seat: Seat, *, work: Work, argument: object, crew: Crew, desk: Meeting) -> None:
    """Work at this seat; leave word of a failure that would happen again."""
    if desk.failure():
        return
    if crew.device == "cpu":
        _pin(seat, crew.threads)
    wish = Wish(desk.wished)
    try:
        work(replace(seat, stop=wish, waited=wish.waited), argument)
    except ConnectionError:  # a peer is lost, or this worker's place: no failure of its own
        raise
    except Exception as error:
        desk.fail(_failure(error))
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


def raise_failure(failure: dict[str, Any] | None) -> None:
    """Raise what a worker left word of, if any did."""
    if failure is None:
        return
    if "traceback" in failure:
        raise WorkerFailedError(f"in a training worker:\n{failure['traceback']}")
    raise Problem(**failure)


def lost(error: BaseException) -> Problem:
    """The Problem of a team that is lost for good."""
    return Problem(
        "the training workers were lost, and starting them again did not help",
        where="machine.yaml, worker_restarts",
        value=last_line(error),
        remedy="run the same command again: training goes on from its last checkpoint",
        retry=True,
    )


def last_line(error: BaseException) -> str:
    """The last line of an error's message, or its name where it has none."""
    return (str(error).strip() or repr(error)).splitlines()[-1]
