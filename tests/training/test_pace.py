"""The pace: what is told of the steps since the last record, by a clock of the test's own."""

import numpy as np
import pytest
import torch

from pipeline.batches.padding import padding
from pipeline.batches.share import Supply
from pipeline.training import pace as pace_module
from pipeline.training.gauge import Gauge
from pipeline.training.operations import Operations
from pipeline.training.pace import Pace
from pipeline.training.step import Step

CPU = torch.device("cpu")
GROUP = padding(np.array([1, 1]), np.array([1, 3]), [np.array([0, 1])])


@pytest.fixture
def clock(monkeypatch):
    """A list whose one number is the time; half of that was the processor's."""
    now = [100.0]
    monkeypatch.setattr(pace_module.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pace_module.time, "process_time", lambda: now[0] / 2)
    return now


def step(number, *, waited=0.0):
    supply = Supply(waited, GROUP)
    return Step(number, 1.0, {}, {}, 1.0, 0.1, 4, taken=True, stop=False, supply=supply)


def test_it_is_told_of_all_steps_since_the_last_time(clock):
    gauge = Gauge(Operations((0, 0, 3, 4, 0, 0, 0, 0, 5)), peak=500.0)
    pace = Pace(gauge, CPU)
    spent = []
    for number in (1, 2):
        clock[0] += 2.0
        spent.append(pace.step(step(number, waited=0.5)))
    assert spent == [{"seconds": 2.0, "processor_seconds": 1.0}] * 2
    told = pace.told()
    assert told.pop("peak_memory_mib") > 10
    assert told == {
        "tokens_per_second": 2.0,
        "waiting_share": 0.25,
        "padding": 1 - 72 / 112,
        "mfu": pytest.approx(2 * 72 / 4.0 / gauge.peak),
        "peak_gflops_per_second": gauge.peak / 1e9,
    }
    clock[0] += 1.0
    pace.step(step(3))
    assert pace.told()["tokens_per_second"] == 4.0


def test_what_comes_between_steps_is_no_time_of_theirs(clock):
    pace = Pace(None, CPU)
    clock[0] += 50.0  # as a validation
    pace.begin()
    clock[0] += 2.0
    assert pace.step(step(1))["seconds"] == 2.0
    assert pace.told()["tokens_per_second"] == 2.0


def test_without_a_gauge_nothing_is_told_of_what_depends_on_one(clock):
    pace = Pace(None, CPU)
    clock[0] += 1.0
    pace.step(step(1))
    assert pace.told().keys() == {"tokens_per_second", "waiting_share", "peak_memory_mib"}
