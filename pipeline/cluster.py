"""A team of training workers on Ray Train, started again when a worker is lost.

What is trained is the function's business; it finds its peers through torch.distributed.
"""

import logging
import os
import secrets
import shutil
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pipeline.machine import no_cluster
from pipeline.problems import Problem
from pipeline.seats import (
    Crew,
    Desk,
    Seat,
    Work,
    check_room,
    environment,
    lost,
    needs,
    raise_failure,
    sit,
)

ANSWER_SECONDS = 30.0  # for a desk's answer
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
# Ray counts its nodes every 20 seconds, and until then has an elastic team wait for room on a lost
# one: it gives up soon (workers that found room may start as slowly as they like), and tries
# again, often enough for a score of losses.
ELASTIC_ENVIRONMENT = {"RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "8"}
ELASTIC_STARTS = 80
# As nice as whoever started it: with Ray's own 15, whatever else runs starves the training.
LOCAL_RAY = {"RAY_worker_niceness": "0"}


def train_workers(work: Work, argument: object, crew: Crew) -> None:
    """Run `work(seat, argument)` in every worker of a team until it returns in all of them.

    A team that loses a worker (it was killed, or its host is gone) is started again, `restarts`
    times, and so is one that loses its controller, which takes the workers with it; a Problem or a
    bug ends it at once and is raised here. An elastic team is started with as many workers as there
    is room for, and again with more when there is. On Ctrl-C the workers are asked to stop, and
    have time to end by themselves. All this goes through Ray: hosts need no folder in common.
    """
    os.environ.update(_ray_environment(crew))
    _work(partial(_one_team, work, argument, crew), crew.restarts)


def _work(one_team: Callable[[], None], restarts: int) -> None:
    """Start teams, one after the other, until one has worked to its end."""
    from ray.exceptions import RayActorError

    for number in range(restarts + 1):
        try:
            one_team()
        except RayActorError as error:  # the controller's: what workers lose, it answers itself
            if number == restarts:
                raise lost(error) from error
        else:
            return


def _one_team(work: Work, argument: object, crew: Crew) -> None:
    """One team on a Ray of its own, or on one joined anew: so it waits for nothing that a lost
    controller held."""
    session = _start_ray(crew)
    try:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
            desk = RayDesk(_open_desk())
            _watch(_run_in_thread(work, argument, crew, desk, scratch), desk)
    finally:
        _stop_ray(session)


class RayDesk:
    """A desk in a process of its own, on the driver's host."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor

    def fail(self, failure: dict[str, Any]) -> None:
        """Leave word of a failure."""
        _answer(self.actor.fail.remote(failure))

    def failure(self) -> dict[str, Any] | None:
        """The first failure."""
        return _answer(self.actor.failure.remote())

    def wish(self) -> None:
        """Wish the team to stop."""
        _answer(self.actor.wish.remote())

    def wished(self) -> bool:
        """Is the team to stop?"""
        return _answer(self.actor.wished.remote())


def _answer(call: Any) -> Any:
    import ray

    return ray.get(call, timeout=ANSWER_SECONDS)


def _open_desk() -> Any:
    """A desk beside this driver: what takes one of the two takes both."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
    desk: Any = ray.remote(Desk)
    return desk.options(num_cpus=0, scheduling_strategy=here).remote()


def _start_ray(crew: Crew) -> Path | None:
    """Start or join Ray; the folder of its session, where it is ours."""
    import ray

    quiet: dict[str, Any] = {
        "logging_level": logging.ERROR,
        "logging_config": ray.LoggingConfig(log_level="ERROR"),
        "log_to_driver": False,
        "runtime_env": {"env_vars": _ray_environment(crew) | environment(crew)},
    }
    if crew.address != "local":
        try:
            ray.init(address=crew.address, **quiet)
        except ConnectionError as error:
            raise no_cluster(crew.address, error) from None
        check_room(crew, ray.cluster_resources())
        return None
    os.environ.update(LOCAL_RAY)
    cores = {"num_cpus": crew.workers, "object_store_memory": 200 * 2**20}
    try:
        context: Any = ray.init(address="local", include_dashboard=False, **cores, **quiet)
    except Exception as error:  # Ray has no name for a start that took it more than 30 seconds
        remedy = "is the machine very busy? run the same command again"
        raise Problem("Ray does not start", value=str(error), remedy=remedy, retry=True) from error
    return Path(context.address_info["session_dir"])


def _ray_environment(crew: Crew) -> dict[str, str]:
    return RAY_ENVIRONMENT if crew.least is None else RAY_ENVIRONMENT | ELASTIC_ENVIRONMENT


def _stop_ray(session: Path | None) -> None:
    """Leave Ray; a session of ours ends, and its logs go."""
    import ray

    ray.shutdown()
    if session is not None:
        shutil.rmtree(session, ignore_errors=True)


def _run_in_thread(
    work: Work, argument: object, crew: Crew, desk: RayDesk, scratch: str
) -> Future[object]:
    """Ray's blocking call in a thread of its own: signals arrive here, and are answered here."""
    from ray import train
    from ray.train.torch import TorchConfig, TorchTrainer

    running: Future[object] = Future()
    trainer = TorchTrainer(
        _seated,
        train_loop_config={"work": work, "argument": argument, "crew": crew, "desk": desk},
        torch_config=TorchConfig(backend="nccl" if crew.device == "cuda" else "gloo"),
        scaling_config=train.ScalingConfig(
            num_workers=crew.workers if crew.least is None else (crew.least, crew.workers),
            elastic_resize_monitor_interval_s=crew.resize_seconds,
            use_gpu=crew.device == "cuda",
            resources_per_worker=needs(crew),
        ),
        run_config=train.RunConfig(
            name=f"team-{secrets.token_hex(4)}",
            storage_path=scratch,
            failure_config=failure_config(crew),
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


def failure_config(crew: Crew) -> Any:
    """How often Ray starts the team again: after a loss `restarts` times, after a start that failed
    once, since a team that finds no room does not find it later either; an elastic one does."""
    from ray.train import FailureConfig

    starts = 1 if crew.least is None else ELASTIC_STARTS
    return FailureConfig(max_failures=crew.restarts, controller_failure_limit=starts)


def _watch(running: Future[object], desk: RayDesk | Desk) -> None:
    """Wait for the team; raise what failed, Ray's own error where the controller is lost."""
    from ray.exceptions import RayActorError

    try:
        while not running.done() and not desk.failure():
            wait([running], POLL_SECONDS)
    except KeyboardInterrupt:
        with suppress(Exception):  # the desk is lost, too: then nobody is to be asked
            desk.wish()
        wait([running], GRACE_SECONDS)
        raise
    raise_failure(desk.failure())
    error = running.exception()
    if isinstance(error, RayActorError):
        raise error
    if error is not None:
        raise lost(error) from error


def _seated(config: dict[str, Any]) -> None:
    """What Ray runs in each worker."""
    from ray.train import get_context
    from ray.train.torch import get_device

    context = get_context()
    here = (context.get_local_rank(), context.get_local_world_size())
    seat = Seat(context.get_world_rank(), context.get_world_size(), str(get_device()), *here)
    sit(seat, **config)
