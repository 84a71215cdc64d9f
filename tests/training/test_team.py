"""The team: what of a failure is a lost worker's, and what is our own."""

import subprocess
import sys

import pytest
import torch
import torch.distributed as dist

from pipeline.training.team import LostWorkerError, Team

GLOO = "[/src/third_party/gloo/gloo/transport/tcp/pair.cc:553] Connection closed by peer [::1]:6566"


@pytest.mark.parametrize("error", [RuntimeError(GLOO), dist.DistBackendError("NCCL error")])
def test_a_failure_of_the_network_is_a_lost_worker(monkeypatch, error):
    with pytest.raises(LostWorkerError, match="worker 1 of 2 lost its team"):
        team_whose_sum_fails(monkeypatch, error).sum_(torch.ones(2))


def test_a_failure_of_our_own_stays_what_it_is(monkeypatch):
    error = RuntimeError("ProcessGroupGloo::allgather: invalid tensor size at index 1")
    with pytest.raises(RuntimeError) as caught:
        team_whose_sum_fails(monkeypatch, error).sum_(torch.ones(2))
    assert caught.value is error


def team_whose_sum_fails(monkeypatch, error):
    def all_reduce(tensor):
        raise error

    monkeypatch.setattr(dist, "all_reduce", all_reduce)
    return Team(1, 2)


WORKER = """
import os, sys
import torch
import torch.distributed as dist
from pipeline.training.team import LostWorkerError, Team
rank = int(sys.argv[1])
dist.init_process_group("gloo", init_method=f"file://{sys.argv[2]}", rank=rank, world_size=2)
team = Team(rank, 2)
assert team.gather({"rank": rank}) == [{"rank": 0}, {"rank": 1}]
if rank == 1:
    os._exit(0)
try:
    team.sum_(torch.ones(2))
except LostWorkerError:
    os._exit(7)
"""


@pytest.mark.system
def test_whoever_waits_for_a_worker_that_is_gone_has_lost_its_team(tmp_path):
    """With processes over gloo, whose errors have no type of their own."""
    arguments = [sys.executable, "-c", WORKER]
    team = [subprocess.Popen([*arguments, str(rank), str(tmp_path / "meeting")]) for rank in (0, 1)]
    try:
        assert [worker.wait(timeout=120) for worker in team] == [7, 0]
    finally:
        for worker in team:
            worker.kill()
            worker.wait()
