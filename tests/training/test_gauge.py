"""The gauge: what large products reach, by a clock of the test's own, and that workers add up."""

import numpy as np
import pytest
import torch

from pipeline.batches.padding import padding
from pipeline.training import gauge as gauge_module
from pipeline.training.gauge import Gauge, gauge_of, matrix_rate
from pipeline.training.operations import Operations

CPU = torch.device("cpu")


@pytest.fixture
def machine(monkeypatch):
    """A machine that makes 1,000 operations a second of matrices up to 512 wide, of wider ones
    2,000; the widths that it was asked for, and its clock."""
    widths, now = [], [0.0]

    def product(left, right, out):
        widths.append(len(left))
        now[0] += 2 * len(left) ** 3 / (1000 if len(left) <= 512 else 2000)

    monkeypatch.setattr(torch, "mm", product)
    return widths, lambda: now[0]


def test_widths_grow_while_there_is_time_and_the_best_rate_counts(machine):
    widths, clock = machine
    needed = 2 * 256**3 / 1000
    assert matrix_rate(torch.float32, CPU, seconds=100 * needed, clock=clock) == pytest.approx(1000)
    assert max(widths) == 512
    assert clock() < 130 * needed
    assert matrix_rate(torch.float32, CPU, seconds=300 * needed, clock=clock) == pytest.approx(2000)
    assert max(widths) == 1024


def test_a_machine_for_which_one_width_takes_too_long_is_measured_by_it_alone(machine):
    widths, clock = machine
    assert matrix_rate(torch.float32, CPU, seconds=0.01, clock=clock) == pytest.approx(1000)
    assert set(widths) == {256}


def test_real_products_have_a_rate_and_draw_from_no_global_generator():
    before = torch.get_rng_state()
    assert matrix_rate(torch.float32, CPU, seconds=0.01) > 1e6
    assert torch.equal(torch.get_rng_state(), before)


def test_the_peaks_of_all_workers_are_added(engine, monkeypatch):
    monkeypatch.setattr(gauge_module, "matrix_rate", lambda dtype, device: 5e9)
    found = engine.Threads(3).run(
        lambda team: gauge_of(engine.tiny_model(precision="fp32"), torch.float32, team)
    )
    assert [gauge.peak for gauge in found] == [15e9] * 3
    assert found[0].operations == found[2].operations


def test_what_a_group_needs_is_what_its_real_positions_need():
    gauge = Gauge(Operations((0, 0, 3, 4, 0, 0, 0, 0, 5)), 1.0)
    group = padding(np.array([1, 1]), np.array([1, 3]), [np.array([0, 1])])
    assert gauge.needed(group) == 3 * 2 + 4 * 4 + 5 * (1 + 9)
    assert gauge.made(group) == 3 * 2 + 4 * 4 + 5 * (9 + 9)
