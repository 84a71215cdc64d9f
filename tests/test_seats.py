"""Seats: what a worker is given, and how its failure reaches whoever waits."""

import os
import time

import pytest

from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.seats import (
    Crew,
    Desk,
    Seat,
    WorkerFailedError,
    crew_of,
    environment,
    raise_failure,
    sit,
)

CREW = Crew(workers=1, device="cuda", threads=1, restarts=0)
SEAT = Seat(0, 1, "cpu")


def work_that_raises(error):
    def work(seat, argument):
        raise error

    return work


def test_a_problem_travels_whole():
    desk = Desk()
    problem = Problem("bad", where="params.yaml, x", value=[1], remedy="mend it", retry=True)
    with pytest.raises(Problem):
        sit(SEAT, work=work_that_raises(problem), argument=None, crew=CREW, desk=desk)
    with pytest.raises(Problem) as caught:
        raise_failure(desk.failure())
    assert str(caught.value) == "params.yaml, x: bad\n  found:  [1]\n  remedy: mend it"
    assert caught.value.retry


def test_a_bug_travels_with_its_traceback():
    desk = Desk()
    with pytest.raises(ZeroDivisionError):
        sit(
            SEAT,
            work=work_that_raises(ZeroDivisionError("by nought")),
            argument=None,
            crew=CREW,
            desk=desk,
        )
    with pytest.raises(WorkerFailedError, match="by nought"):
        raise_failure(desk.failure())


def test_a_lost_peer_is_no_failure_of_its_own():
    desk = Desk()
    with pytest.raises(ConnectionError):
        sit(
            SEAT,
            work=work_that_raises(ConnectionError("peer")),
            argument=None,
            crew=CREW,
            desk=desk,
        )
    assert desk.failure() is None
    raise_failure(desk.failure())


def test_a_team_that_was_started_again_after_a_failure_does_not_work():
    desk = Desk()
    with pytest.raises(ValueError, match="first"):
        sit(
            SEAT,
            work=work_that_raises(ValueError("first")),
            argument=None,
            crew=CREW,
            desk=desk,
        )
    sit(SEAT, work=work_that_raises(KeyError()), argument=None, crew=CREW, desk=desk)


def test_a_worker_hears_of_the_wish_to_stop_without_asking_at_every_step():
    desk, seen = Desk(), []

    def work(seat, argument):
        seen.append(seat.stop() or seat.waited())
        desk.wish()
        end = time.monotonic() + 60
        while not seat.stop():
            assert time.monotonic() < end
        seen.append(seat.stop() and seat.waited() >= 0)

    sit(SEAT, work=work, argument=None, crew=CREW, desk=desk)
    assert seen == [0, True]


def test_on_cpu_a_worker_is_bound_to_cores_of_its_own():
    before = os.sched_getaffinity(0)
    crew, seen = Crew(workers=2, device="cpu", threads=1, restarts=0), []

    def work(seat, argument):
        seen.append(os.sched_getaffinity(0))

    try:
        for rank in range(2):
            seat = Seat(rank, 2, "cpu", local_rank=rank, local_workers=2)
            sit(seat, work=work, argument=None, crew=crew, desk=Desk())
            os.sched_setaffinity(0, before)
    finally:
        os.sched_setaffinity(0, before)
    if len(before) >= 2:
        assert [len(cores) for cores in seen] == [1, 1]
        assert seen[0] != seen[1]
    else:
        assert seen == [before, before]


def test_threads_are_limited_on_cpu_only():
    cpu = environment(Crew(workers=2, device="cpu", threads=3, restarts=0))
    assert cpu["OMP_NUM_THREADS"] == cpu["MKL_NUM_THREADS"] == "3"
    assert "OMP_NUM_THREADS" not in environment(CREW)
    assert environment(CREW)["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert "CUBLAS_WORKSPACE_CONFIG" not in cpu
    assert int(cpu["MALLOC_TRIM_THRESHOLD_"]) < 2**31


def test_on_cpu_both_caches_of_products_are_bounded():
    cpu = environment(Crew(workers=2, device="cpu", threads=1, restarts=0))
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        assert 0 < int(cpu[name]) < 1024
        assert name not in environment(CREW)


def test_a_machine_that_does_not_say_uses_every_gpu_or_a_worker_a_core():
    cores = Machine().cores()
    assert crew_of(Machine(), gpus=3) == Crew(3, "cuda", 1, 3)
    assert crew_of(Machine(), gpus=0) == Crew(cores, "cpu", 1, 3)
    assert crew_of(Machine(device="cpu", threads_per_worker=99), gpus=3) == Crew(1, "cpu", 99, 3)
    assert crew_of(Machine(workers=5, device="cpu"), gpus=0).workers == 5
    elastic = crew_of(Machine(workers=(1, 4), device="cpu", resize_seconds=5), gpus=0)
    assert (elastic.least, elastic.workers, elastic.resize_seconds) == (1, 4, 5)


def test_a_gpu_that_is_not_there_is_a_problem():
    with pytest.raises(Problem, match="no GPU"):
        crew_of(Machine(device="cuda"), gpus=0)
