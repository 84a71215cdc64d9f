"""The lease: one trainer a run; one that was left behind may not write."""

import os
import socket
import subprocess
import sys

import pytest

from pipeline.problems import Problem
from pipeline.training import lease
from pipeline.training.lease import take_lease, this_process


def test_its_owner_may_take_it_again_and_the_number_grows(tmp_path):
    first = take_lease(tmp_path / "key", this_process())
    second = take_lease(tmp_path / "key", this_process())
    assert (first.number, second.number) == (1, 2)
    with second.held():
        pass
    with pytest.raises(Problem, match="another trainer has taken over"), first.held():
        pass


def owner_of(process):
    started = lease._started(process.pid)
    return f"{socket.gethostname()}:{process.pid}:{started}"


def test_a_living_trainer_keeps_others_away_until_it_is_gone(tmp_path):
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    take_lease(tmp_path, owner_of(other))
    with pytest.raises(Problem, match="being trained by another process") as caught:
        take_lease(tmp_path, this_process())
    assert caught.value.retry
    other.kill()  # and not yet waited for: a zombie is gone, too
    os.waitid(os.P_PID, other.pid, os.WEXITED | os.WNOWAIT)
    assert take_lease(tmp_path, this_process()).number == 2
    other.communicate()


def test_a_process_number_that_was_used_again_is_not_the_owner(tmp_path):
    take_lease(tmp_path, f"{socket.gethostname()}:{os.getpid()}:1")
    assert take_lease(tmp_path, this_process()).number == 2


def test_an_owner_on_another_host_is_believed_until_it_is_silent(tmp_path):
    take_lease(tmp_path, "elsewhere:1:1")
    with pytest.raises(Problem, match="elsewhere"):
        take_lease(tmp_path, this_process())
    past = (tmp_path / "lease.json").stat().st_mtime - lease.SILENCE - 1
    os.utime(tmp_path / "lease.json", (past, past))
    assert take_lease(tmp_path, this_process()).number == 2


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Problem, match="cannot write"):
        take_lease(tmp_path / "file" / "key", this_process())
