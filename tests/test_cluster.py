"""What Ray is told, and what becomes of its refusals. Whole teams are started in tests/system."""

from concurrent.futures import Future

import pytest

import pipeline.cluster as cluster
from pipeline.cluster import failure_config, train_workers
from pipeline.problems import Problem
from pipeline.seats import Crew, Desk, check_room, last_line

CREW = Crew(workers=4, device="cpu", threads=1, restarts=3)
ELASTIC = Crew(workers=4, device="cpu", threads=1, restarts=3, least=2)
GPUS = Crew(workers=2, device="cuda", threads=1, restarts=3)


def decisions(error, count, crew=CREW):
    """What Ray decides about the error when it comes again and again."""
    from ray.train.v2._internal.execution.failure_handling.default import DefaultFailurePolicy

    policy = DefaultFailurePolicy(failure_config(crew))
    return [policy.make_decision(error).value for _ in range(count)]


def test_a_lost_worker_is_replaced_as_often_as_the_machine_says():
    from ray.exceptions import WorkerCrashedError
    from ray.train import WorkerGroupError

    lost = WorkerGroupError("lost", {0: WorkerCrashedError()})
    assert decisions(lost, 4) == ["RETRY", "RETRY", "RETRY", "RAISE"]


def test_a_team_for_which_there_is_no_room_is_not_awaited_for_ever():
    from ray.train import ControllerError
    from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError

    late = ControllerError(WorkerGroupStartupTimeoutError(num_workers=4))
    assert decisions(late, 2) == ["RETRY", "RAISE"]
    assert decisions(late, 5, ELASTIC) == ["RETRY"] * 5  # by then it may have a smaller one in mind


@pytest.mark.parametrize(
    ("crew", "resources"),
    [
        (CREW, {"CPU": 4.0, "memory": 1.0}),
        (GPUS, {"CPU": 9.0, "GPU": 2.0}),
        (ELASTIC, {"CPU": 2.0}),
    ],
)
def test_a_cluster_with_room_is_taken(crew, resources):
    check_room(crew, resources)


@pytest.mark.parametrize(
    ("crew", "resources", "found"),
    [
        (CREW, {"CPU": 3.0}, "3 CPU, of which each worker takes 1"),
        (CREW, {}, "0 CPU, of which each worker takes 1"),
        (GPUS, {"CPU": 9.0, "GPU": 1.0}, "1 GPU, of which each worker takes 1"),
    ],
)
def test_a_cluster_without_room_is_a_problem(crew, resources, found):
    with pytest.raises(Problem, match=f"no room for {crew.workers} training workers") as caught:
        check_room(crew, resources)
    assert (caught.value.where, caught.value.value) == ("machine.yaml, workers", found)
    assert caught.value.retry


def test_an_elastic_team_needs_room_for_its_least():
    with pytest.raises(Problem, match="no room for 2 training workers"):
        check_room(ELASTIC, {"CPU": 1.0})


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("why\nlost\n"), "lost"),
        (RuntimeError(), "RuntimeError()"),
        (ValueError("  "), "ValueError('  ')"),
    ],
)
def test_an_error_is_told_by_its_last_line_or_its_name(error, line):
    assert last_line(error) == line


def test_a_ray_that_does_not_start_is_a_problem(monkeypatch):
    import ray

    def init(**options):
        raise Exception("The current node timed out during startup.")  # Ray's own words and kind

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(Problem, match="Ray does not start") as caught:
        train_workers(print, None, CREW)
    assert caught.value.retry


def test_a_cluster_that_does_not_answer_is_a_problem(monkeypatch):
    import ray

    def init(**options):
        raise ConnectionError("no answer")

    crew = Crew(workers=1, device="cpu", threads=1, restarts=0, address="there:6379")
    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(Problem, match="no Ray cluster answers") as caught:
        train_workers(print, None, crew)
    assert (caught.value.where, caught.value.value) == ("machine.yaml, ray_address", "there:6379")


def teams_that_lose(count):
    """A team whose controller is lost so many times; what was started."""
    from ray.exceptions import RayActorError

    started = []

    def team():
        started.append(len(started))
        if len(started) <= count:
            raise RayActorError(error_msg="the controller is gone")

    return team, started


def test_a_team_that_loses_its_controller_is_started_again():
    team, started = teams_that_lose(3)
    cluster._work(team, restarts=3)
    assert started == [0, 1, 2, 3]


def test_a_team_that_loses_every_controller_is_a_problem():
    team, started = teams_that_lose(9)
    with pytest.raises(Problem, match="starting them again did not help") as caught:
        cluster._work(team, restarts=3)
    assert started == [0, 1, 2, 3]
    assert (caught.value.value, caught.value.retry) == ("the controller is gone", True)


def test_a_lost_controller_is_told_from_other_losses_and_a_worker_s_word_counts_more():
    from ray.exceptions import RayActorError

    lost, other, desk = Future(), Future(), Desk()
    lost.set_exception(RayActorError(error_msg="the controller is gone"))
    other.set_exception(RuntimeError("no room"))
    with pytest.raises(RayActorError):
        cluster._watch(lost, desk)
    with pytest.raises(Problem, match="starting them again did not help"):
        cluster._watch(other, desk)
    desk.fail({"what": "no disk", "where": "", "value": None, "remedy": "", "retry": False})
    with pytest.raises(Problem, match="no disk"):
        cluster._watch(lost, desk)


def test_on_ctrl_c_the_team_is_asked_to_stop_and_has_time_to(monkeypatch):
    class Interrupted(Desk):
        def failure(self):
            raise KeyboardInterrupt

        def wish(self):
            super().wish()
            running.set_result(None)

    running, desk = Future(), Interrupted()
    with pytest.raises(KeyboardInterrupt):
        cluster._watch(running, desk)
    assert desk.wished()
