"""The machine as it is found: cores, and a container's share of their time."""

import math
import os
from pathlib import Path

import pytest

from pipeline import machine
from pipeline.machine import Machine, time_share
from pipeline.problems import Problem
from pipeline.settings import parse


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


def test_the_state_is_a_folder_or_an_address_beside_which_the_workspace_keeps_its_own():
    assert (Machine().folder, Machine().address) == (Path("state"), None)
    assert Machine(state="elsewhere/state").folder == Path("elsewhere/state")
    kept = Machine(state="s3://bucket/prefix/deep")
    assert (kept.folder, kept.address) == (Path("state"), "s3://bucket/prefix/deep")


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"state": "s3://Bucket!/x"}, "state: a folder, or s3://bucket/prefix"),
        ({"state": "s3:/bucket/x"}, "state: a folder, or s3://bucket/prefix"),
        ({"state": "gs://bucket/x"}, "state: a folder, or s3://bucket/prefix"),
        ({"workers": [3, 2]}, "workers: [least, most], the smaller number first"),
        (
            {"shard_model": True, "compile": True},
            "compile: a model that is shared out (shard_model) is not compiled",
        ),
    ],
)
def test_what_is_no_address_or_does_not_go_together_is_a_problem(values, what):
    with pytest.raises(Problem) as caught:
        parse(Machine, values, "machine.yaml")
    assert caught.value.what == what


def test_elastic_workers_are_two_numbers():
    assert parse(Machine, {"workers": [1, 4]}, "machine.yaml").workers == (1, 4)


def test_a_model_that_is_shared_out_is_not_compiled():
    assert Machine().compiles == "auto"
    assert Machine(shard_model=True).compiles is False
