import logging
import os

import pyarrow as pa
import pytest

from pipeline.problems import Problem
from pipeline.spread import FEW, MOST_WAITING, spread


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


@pytest.mark.system
def test_a_ray_cluster_gives_what_one_process_gives(doubler, root, monkeypatch):
    for name in ("RAY_USAGE_STATS_ENABLED", "RAY_ENABLE_UV_RUN_RUNTIME_ENV"):
        monkeypatch.setenv(name, "0")
    monkeypatch.setenv("PYTHONPATH", str(root / "tests"))
    import ray

    quiet = {"logging_level": logging.ERROR, "log_to_driver": False}
    store = {"object_store_memory": 80 * 2**20}
    ray.init(address="local", num_cpus=2, include_dashboard=False, **store, **quiet)
    try:
        there = list(spread(doubler(), batches(8), processes=2, address="auto"))
        here = list(spread(doubler(), batches(8), processes=1))
        assert [b["doubled"] for b in there] == [b["doubled"] for b in here]
        assert os.getpid() not in {p for b in there for p in b["pid"].to_pylist()}
        with pytest.raises(Problem, match="a bad row") as caught:
            list(spread(doubler(fail_at=55), batches(8), processes=2, address="auto"))
        assert caught.value.where == "file, line 7"
        assert ray.is_initialized()  # a cluster that was joined before stays joined
    finally:
        ray.shutdown()


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
