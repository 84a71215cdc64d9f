"""The only door to Ray, and to processes of our own: `spread` and `train_workers`.

`spread` maps one function over many batches of rows. The function is pure and picklable, so it
gives the same batches here, in processes of this machine, and on a Ray cluster; results come back
in order, and only a few batches are under way at a time.

`train_workers` starts a team of training workers with Ray Train, and starts it again when a worker
is lost. What is trained is the function's business; it finds its peers through torch.distributed.
"""

import logging
import multiprocessing
import os
import shutil
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from pathlib import Path
from typing import Any, cast

import pyarrow as pa

from pipeline.arrow import RecordBatch
from pipeline.files import empty_folder
from pipeline.problems import Problem
from pipeline.seats import Crew, Seat, Work, environment, failed, raise_failure, sit
from pipeline.workspace import die_with_parent

BatchFunction = Callable[[RecordBatch], RecordBatch]
FEW = 4  # batches that are done here before another process would have started
IN_FLIGHT = 2  # batches for each other process: one being worked on, one waiting
MOST_WAITING = 8  # results for each process that wait for an earlier one


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
    try:
        for batch in batches:
            busy = sum(isinstance(each, Future) and not each.done() for each in waiting)
            sent = busy < others * IN_FLIGHT
            waiting.append(pool.submit(_work, _to_bytes(batch)) if sent else function(batch))
            while waiting and (_is_done(waiting[0]) or len(waiting) > processes * MOST_WAITING):
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
    import ray
    from ray.exceptions import RayTaskError

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
    except RayTaskError as error:
        raise error.cause from None  # the function's own exception, as everywhere
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


GRACE_SECONDS = 60.0  # for a checkpoint and a clean end, after the wish to stop
POLL_SECONDS = 0.2
# What is switched off writes to the log, phones home, or copies what workers print.
RAY_ENVIRONMENT = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_ENABLE_STATE_ACTOR_RECONCILIATION": "0",
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.2",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",
    "RAY_USAGE_STATS_ENABLED": "0",
}


def train_workers(
    work: Work, argument: object, crew: Crew, *, folder: Path, stop: Callable[[], None]
) -> None:
    """Run `work(seat, argument)` in every worker of a team until it returns in all of them.

    A team that loses a worker (it was killed, or its host is gone) is started again, `restarts`
    times; a Problem or a bug ends it at once and is raised here. `folder` holds what passes between
    here and there. On Ctrl-C `stop` is called, and the workers have time to end by themselves.
    """
    os.environ.update(RAY_ENVIRONMENT)
    exchange = empty_folder(folder / "ray").resolve()
    session = _start_ray(crew)
    try:
        _watch(_run_in_thread(work, argument, crew, exchange), exchange, stop)
    finally:
        _stop_ray(session)
        shutil.rmtree(exchange, ignore_errors=True)


def _start_ray(crew: Crew) -> Path | None:
    """Start or join Ray; the folder of its session, where it is ours."""
    import ray

    quiet: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "logging_config": ray.LoggingConfig(log_level="ERROR"),
        "log_to_driver": False,
        "runtime_env": {"env_vars": RAY_ENVIRONMENT | environment(crew)},
    }
    if crew.address != "local":
        try:
            ray.init(address=crew.address, **quiet)
        except ConnectionError as error:
            raise Problem(
                "no Ray cluster answers",
                where="machine.yaml, ray_address",
                value=crew.address,
                remedy=f"start it, or set `local` ({error})",
                retry=True,
            ) from None
        return None
    cores = {"num_cpus": crew.workers, "object_store_memory": 200 * 2**20}
    context: Any = ray.init(address="local", include_dashboard=False, **cores, **quiet)
    return Path(context.address_info["session_dir"])


def _stop_ray(session: Path | None) -> None:
    """Leave Ray; a session of ours ends, and its logs go."""
    import ray

    ray.shutdown()
    if session is not None:
        shutil.rmtree(session, ignore_errors=True)


def _run_in_thread(work: Work, argument: object, crew: Crew, exchange: Path) -> Future[object]:
    """Ray's blocking call in a thread of its own: signals arrive here, and are answered here."""
    from ray import train
    from ray.train.torch import TorchConfig, TorchTrainer

    running: Future[object] = Future()
    per_worker = {"CPU": 1} | ({"GPU": 1} if crew.device == "cuda" else {})
    trainer = TorchTrainer(
        _seated,
        train_loop_config={"work": work, "argument": argument, "crew": crew, "exchange": exchange},
        torch_config=TorchConfig(backend="nccl" if crew.device == "cuda" else "gloo"),
        scaling_config=train.ScalingConfig(
            num_workers=crew.workers,
            use_gpu=crew.device == "cuda",
            resources_per_worker=per_worker,
        ),
        run_config=train.RunConfig(
            name="team",
            storage_path=str(exchange),
            failure_config=train.FailureConfig(max_failures=crew.restarts),
            logging_config=train.LoggingConfig(log_level="ERROR"),
        ),
    )

    def run() -> None:
        try:
            running.set_result(trainer.fit())
        except BaseException as error:
            running.set_exception(error)

    threading.Thread(target=run, name="ray-train", daemon=True).start()
    return running


def _watch(running: Future[object], exchange: Path, stop: Callable[[], None]) -> None:
    """Wait for the team; raise what failed."""
    try:
        while not running.done() and not failed(exchange):
            wait([running], POLL_SECONDS)
    except KeyboardInterrupt:
        stop()
        wait([running], GRACE_SECONDS)
        raise
    raise_failure(exchange)
    error = running.exception()
    if error is not None:
        raise Problem(
            "the training workers were lost, and starting them again did not help",
            where="machine.yaml, worker_restarts",
            value=str(error).strip().splitlines()[-1],
            remedy="run the same command again: training goes on from its last checkpoint",
            retry=True,
        ) from error


def _seated(config: dict[str, Any]) -> None:
    """What Ray runs in each worker."""
    from ray.train import get_context
    from ray.train.torch import get_device

    context = get_context()
    here = (context.get_local_rank(), context.get_local_world_size())
    seat = Seat(context.get_world_rank(), context.get_world_size(), str(get_device()), *here)
    sit(seat, **config)
