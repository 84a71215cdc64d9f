"""One function over many batches of rows: here, in processes of this machine, or over Ray.

The function is pure and picklable, so it gives the same batches wherever it runs; results come back
in order, and only a few batches are under way at a time.
"""

import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from typing import Any, cast

import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.machine import no_cluster
from pipeline.problems import Problem
from pipeline.workspace import die_with_parent

BatchFunction = Callable[[RecordBatch], RecordBatch]
FEW = 4  # batches that are done here before another process would have started
IN_FLIGHT = 2  # batches for each other process: one being worked on, one waiting
MOST_WAITING = 8  # batches for each process that are under way, or wait for an earlier one
MOST_IN_ALL = 128  # the same for all processes together: memory does not grow with the cores
RAY_ENVIRONMENT = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_USAGE_STATS_ENABLED": "0"}


def spread(
    function: BatchFunction,
    batches: Iterable[RecordBatch],
    *,
    processes: int,
    address: str = "local",
) -> Iterator[RecordBatch]:
    """`map(function, batches)`, in order: here, over local processes, or over a Ray cluster.

    `address` is `local`, or that of a cluster that runs already (then `processes` is the number of
    tasks side by side). What the function raises is raised here. Local processes end with the
    thread that takes the first result, so that one must live until the last.
    """
    stream = iter(batches)
    first = list(islice(stream, FEW + 1))
    batches = chain(first, stream)
    if len(first) <= FEW or (processes == 1 and address == "local"):
        return map(function, batches)
    if address == "local":
        return _over_processes(function, batches, processes)
    return _over_ray(function, batches, processes, address)


def _over_processes(
    function: BatchFunction, batches: Iterable[RecordBatch], processes: int
) -> Iterator[RecordBatch]:
    # Spawned, not forked: Arrow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    arguments = (function, os.getpid())
    others = processes - 1  # this process works, too, and while the others start it works alone
    pool = ProcessPoolExecutor(others, context, initializer=_receive, initargs=arguments)
    waiting: deque[Future[bytes] | RecordBatch] = deque()
    most = min(processes * MOST_WAITING, MOST_IN_ALL)
    try:
        for batch in batches:
            busy = sum(isinstance(each, Future) and not each.done() for each in waiting)
            sent = busy < others * IN_FLIGHT
            waiting.append(pool.submit(_work, _to_bytes(batch)) if sent else function(batch))
            while waiting and (_is_done(waiting[0]) or len(waiting) > most):
                yield _result(waiting.popleft())
        while waiting:
            yield _result(waiting.popleft())
    except BrokenProcessPool as error:
        remedy = "was memory short? fewer data_processes in machine.yaml, then run again"
        raise Problem("a process of the stage was lost", remedy=remedy, retry=True) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _is_done(result: Future[bytes] | RecordBatch) -> bool:
    return result.done() if isinstance(result, Future) else True


def _result(result: Future[bytes] | RecordBatch) -> RecordBatch:
    return _from_bytes(result.result()) if isinstance(result, Future) else result


_received: list[BatchFunction] = []  # the function of this worker process, sent once


def _receive(function: BatchFunction, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    die_with_parent(parent)
    _received[:] = [function]


def _work(message: bytes) -> bytes:
    return _to_bytes(_received[0](_from_bytes(message)))


def _over_ray(
    function: BatchFunction, batches: Iterable[RecordBatch], processes: int, address: str
) -> Iterator[RecordBatch]:
    os.environ.update(RAY_ENVIRONMENT)
    import ray
    from ray.exceptions import RayError, RayTaskError

    ours = not ray.is_initialized()
    if ours:
        _join(address)
    waiting: deque[Any] = deque()
    try:
        task: Any = ray.remote(_apply)
        shared = ray.put(function)
        for batch in batches:
            waiting.append(task.remote(shared, _to_bytes(batch)))
            if len(waiting) >= min(processes * IN_FLIGHT, MOST_IN_ALL):
                yield _from_bytes(cast(bytes, ray.get(waiting.popleft())))
        while waiting:
            yield _from_bytes(cast(bytes, ray.get(waiting.popleft())))
    except RayTaskError as error:
        raise error.cause from None  # the function's own exception, as everywhere
    except RayError as error:
        raise Problem(
            "the Ray cluster lost a part of the work",
            where="machine.yaml, ray_address",
            value=f"{type(error).__name__}: {str(error).partition(chr(10))[0]}",
            remedy="is a host gone, or its memory short? run the same command again",
            retry=True,
        ) from error
    finally:
        if ours:
            ray.shutdown()


def _join(address: str) -> None:
    import ray

    quiet = ray.LoggingConfig(log_level="ERROR")
    try:
        ray.init(
            address=address, logging_level=logging.ERROR, logging_config=quiet, log_to_driver=False
        )
    except ConnectionError as error:
        raise no_cluster(address, error) from None


def _apply(function: BatchFunction, message: bytes) -> bytes:
    return _to_bytes(function(_from_bytes(message)))


def _to_bytes(batch: RecordBatch) -> bytes:
    """A batch as an Arrow stream; a slice takes only its own rows along, unlike in a pickle."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)
    return sink.getvalue().to_pybytes()


def _from_bytes(message: bytes) -> RecordBatch:
    return pa.ipc.open_stream(message).read_next_batch()
