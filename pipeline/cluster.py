"""The only door to Ray, and to processes of our own: one function over many batches of rows.

The function is pure and picklable, so it gives the same batches here, in processes of this machine,
and on a Ray cluster; results come back in order, and only a few batches are under way at a time.
"""

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any, cast

import pyarrow as pa

from pipeline.arrow import RecordBatch

BatchFunction = Callable[[RecordBatch], RecordBatch]
IN_FLIGHT = 2  # batches for each process: one being worked on, one waiting


def spread(
    function: BatchFunction,
    batches: Iterable[RecordBatch],
    *,
    processes: int,
    address: str = "local",
) -> Iterator[RecordBatch]:
    """`map(function, batches)`, in order: here, over local processes, or over a Ray cluster.

    `address` is `local`, or that of a cluster that runs already (then `processes` is the number of
    tasks side by side). What the function raises is raised here.
    """
    if address != "local":
        return _over_ray(function, batches, processes, address)
    if processes == 1:
        return map(function, batches)
    return _over_processes(function, batches, processes)


def _over_processes(
    function: BatchFunction, batches: Iterable[RecordBatch], processes: int
) -> Iterator[RecordBatch]:
    # Spawned, not forked: Arrow's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes, context, initializer=_receive, initargs=(function,))
    waiting: deque[Future[bytes]] = deque()
    try:
        for batch in batches:
            waiting.append(pool.submit(_work, _to_bytes(batch)))
            if len(waiting) >= processes * IN_FLIGHT:
                yield _from_bytes(waiting.popleft().result())
        while waiting:
            yield _from_bytes(waiting.popleft().result())
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_received: list[BatchFunction] = []  # the function of this worker process, sent once


def _receive(function: BatchFunction) -> None:
    _received[:] = [function]


def _work(message: bytes) -> bytes:
    return _to_bytes(_received[0](_from_bytes(message)))


def _over_ray(
    function: BatchFunction, batches: Iterable[RecordBatch], processes: int, address: str
) -> Iterator[RecordBatch]:
    import ray

    ours = not ray.is_initialized()
    if ours:
        ray.init(address=address, logging_level=logging.ERROR)
    task: Any = ray.remote(_apply)
    shared = ray.put(function)
    waiting: deque[Any] = deque()
    try:
        for batch in batches:
            waiting.append(task.remote(shared, _to_bytes(batch)))
            if len(waiting) >= processes * IN_FLIGHT:
                yield _from_bytes(cast(bytes, ray.get(waiting.popleft())))
        while waiting:
            yield _from_bytes(cast(bytes, ray.get(waiting.popleft())))
    finally:
        if ours:
            ray.shutdown()


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
