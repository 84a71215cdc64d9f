"""The machine as it is found: cores, and a container's share of their time."""

import math
import os

import pytest

from pipeline import machine
from pipeline.machine import Machine, time_share


@pytest.fixture
def groups(tmp_path):
    """Control groups: the outer one has 2.5 cores, the inner one no limit of its own."""
    inner = tmp_path / "groups" / "outer" / "inner"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n")
    (inner.parent / "cpu.max").write_text("250000 100000\n")
    (tmp_path / "own").write_text("9:cpu:/old\n0::/outer/inner\n")
    return tmp_path


def test_the_narrowest_group_around_the_process_counts(groups):
    assert time_share(groups / "own", groups / "groups") == 2.5
    (groups / "groups/outer/inner/cpu.max").write_text("50000 100000\n")
    assert time_share(groups / "own", groups / "groups") == 0.5


@pytest.mark.parametrize("own", ["", "9:cpu:/old\n", "0::/\n", "0::/elsewhere\n"])
def test_without_a_limit_all_time_is_ours(groups, own):
    (groups / "own").write_text(own)
    assert time_share(groups / "own", groups / "groups") == math.inf
    assert time_share(groups / "none", groups / "groups") == math.inf


@pytest.mark.parametrize(("share", "cores"), [(0.5, 1), (1.0, 1), (1.5, 2), (math.inf, 999)])
def test_there_are_no_more_cores_than_time(monkeypatch, share, cores):
    monkeypatch.setattr(machine, "time_share", lambda: share)
    expected = min(cores, len(os.sched_getaffinity(0)))
    assert Machine().cores() == Machine().processes() == expected
