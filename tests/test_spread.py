import logging
import os
import shutil
import tempfile

import pyarrow as pa
import pytest

from pipeline.problems import Problem
from pipeline.spread import FEW, MOST_WAITING, RAY_ENVIRONMENT, spread


@pytest.fixture(scope="module")
def doubler(root):
    """Doubler of tests/doubling.py, importable in other processes, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root / "tests"))
        import doubling

        yield doubling.Doubler


def batches(count):
    """Slices of one batch: only their own rows may travel."""
    whole = pa.record_batch([pa.array(range(10 * count))], ["n"])
    return [whole.slice(10 * i, 10) for i in range(count)]


def test_processes_give_what_one_gives_in_the_same_order(doubler):
    here = list(spread(doubler(), batches(12), processes=1))
    there = list(spread(doubler(), batches(12), processes=2))
    assert [b["doubled"].to_pylist() for b in there] == [b["doubled"].to_pylist() for b in here]
    assert here[3]["doubled"].to_pylist() == [60, 62, 64, 66, 68, 70, 72, 74, 76, 78]
    assert {p for b in here for p in b["pid"].to_pylist()} == {os.getpid()}
    who = {p for b in there for p in b["pid"].to_pylist()}
    assert len(who) == 2 and os.getpid() in who  # this process works, too


def test_a_few_batches_are_done_here_because_a_process_starts_slowly(doubler):
    done = list(spread(doubler(), batches(FEW), processes=2))
    assert {p for b in done for p in b["pid"].to_pylist()} == {os.getpid()}


def test_what_the_function_raises_is_raised_here(doubler):
    with pytest.raises(Problem, match="a bad row") as caught:
        list(spread(doubler(fail_at=55), batches(12), processes=2))
    assert caught.value.where == "file, line 7"


def test_a_lost_process_is_a_problem_that_may_be_retried(doubler):
    # The first batch always goes to another process.
    with pytest.raises(Problem, match="process of the stage was lost") as caught:
        list(spread(doubler(die_at=5), batches(12), processes=2))
    assert caught.value.retry


@pytest.fixture
def cluster(root, monkeypatch):
    """Ray with two cores and a folder of its own, which goes with it."""
    for name, value in RAY_ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PYTHONPATH", str(root / "tests"))
    import ray

    folder = tempfile.mkdtemp(prefix="ray")  # pytest's are too long for the names of sockets
    try:
        start_ray(folder)
        yield ray
    finally:
        ray.shutdown()
        shutil.rmtree(folder, ignore_errors=True)


def start_ray(folder, tries=4):
    """Ray gives its start 30 seconds, which is fixed and on a busy machine not always enough."""
    import ray

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False, "include_dashboard": False}
    store = {"object_store_memory": 80 * 2**20}
    for left in reversed(range(tries)):
        try:
            ray.init(address="local", num_cpus=2, _temp_dir=folder, **store, **quiet)
            return
        except Exception as error:
            ray.shutdown()
            if not left or "timed out during startup" not in str(error):
                raise


@pytest.mark.system
def test_a_ray_cluster_gives_what_one_process_gives(doubler, cluster):
    there = list(spread(doubler(), batches(8), processes=2, address="auto"))
    here = list(spread(doubler(), batches(8), processes=1))
    assert [b["doubled"] for b in there] == [b["doubled"] for b in here]
    assert os.getpid() not in {p for b in there for p in b["pid"].to_pylist()}
    with pytest.raises(Problem, match="a bad row") as caught:
        list(spread(doubler(fail_at=55), batches(8), processes=2, address="auto"))
    assert caught.value.where == "file, line 7"
    with pytest.raises(Problem, match="the Ray cluster lost a part of the work") as caught:
        list(spread(doubler(die_at=55), batches(8), processes=2, address="auto"))
    assert caught.value.retry
    assert cluster.is_initialized()  # a cluster that was joined before stays joined


def test_a_cluster_that_does_not_answer_is_a_problem(doubler, monkeypatch):
    import ray

    def init(**options):
        assert options["log_to_driver"] is False
        raise ConnectionError("no answer")

    monkeypatch.setattr(ray, "init", init)
    with pytest.raises(Problem, match="no Ray cluster answers") as caught:
        list(spread(doubler(), batches(8), processes=2, address="there:6379"))
    assert (caught.value.where, caught.value.value) == ("machine.yaml, ray_address", "there:6379")
    assert caught.value.retry


def test_what_waits_does_not_grow_with_the_cores(doubler, monkeypatch):
    monkeypatch.setattr("pipeline.spread.MOST_IN_ALL", 6)
    taken = []

    def stream():
        for batch in batches(40):
            taken.append(batch)
            yield batch

    results = spread(doubler(), stream(), processes=2)
    next(results)
    assert len(taken) <= 6 + 1
    assert [b["doubled"][0].as_py() for b in results] == [20 * i for i in range(1, 40)]


def test_only_a_few_batches_are_under_way(doubler):
    taken = []

    def stream():
        for batch in batches(40):
            taken.append(batch)
            yield batch

    results = spread(doubler(), stream(), processes=2)
    next(results)
    assert len(taken) <= 2 * MOST_WAITING + 1
    results.close()
