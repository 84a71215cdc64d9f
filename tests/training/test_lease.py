"""The lease: one trainer a run; one that was left behind may not write."""

import os
import socket
import subprocess
import sys
import time

import pytest

from pipeline.problems import Problem
from pipeline.seats import Crew, Desk, Seat, sit
from pipeline.training import lease
from pipeline.training.lease import LostLeaseError, take_lease, this_process


def test_its_owner_may_take_it_again_and_the_number_grows(tmp_path):
    first = take_lease(tmp_path / "key", this_process())
    second = take_lease(tmp_path / "key", this_process())
    assert (first.number, second.number) == (1, 2)
    with second.held():
        pass
    with pytest.raises(LostLeaseError, match="another trainer has taken over"), first.held():
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


def test_a_team_that_was_left_behind_does_not_end_the_one_that_took_over(tmp_path):
    """Nothing is wrong with the others: it leaves no word of a failure."""
    left = take_lease(tmp_path / "key", this_process())
    take_lease(tmp_path / "key", this_process())

    def work(seat, argument):
        with left.held():
            pytest.fail("it wrote")

    crew, desk = Crew(workers=1, device="cuda", threads=1, restarts=0), Desk()
    with pytest.raises(LostLeaseError):
        sit(Seat(0, 1, "cpu"), work=work, argument=None, crew=crew, desk=desk)
    assert desk.failure() is None


@pytest.fixture
def soon(monkeypatch):
    """Silence is a matter of a second."""
    monkeypatch.setattr(lease, "SILENCE", 1.0)
    monkeypatch.setattr(lease, "LOOK", 0.05)


def test_an_owner_on_another_host_is_gone_after_its_silence_and_that_is_waited_for(tmp_path, soon):
    take_lease(tmp_path, "elsewhere:1:1")
    told, begun = [], time.monotonic()
    assert take_lease(tmp_path, this_process(), report=told.append).number == 2
    assert time.monotonic() - begun > 0.9
    assert told == ["elsewhere:1:1 has trained this run: waiting up to 1 s for its silence"]


def test_an_owner_that_was_silent_long_enough_is_not_waited_for(tmp_path):
    take_lease(tmp_path, "elsewhere:1:1")
    past = (tmp_path / "lease.json").stat().st_mtime - lease.SILENCE - 1
    os.utime(tmp_path / "lease.json", (past, past))
    assert take_lease(tmp_path, this_process(), report=pytest.fail).number == 2


def test_an_owner_on_another_host_that_writes_is_alive(tmp_path, soon, monkeypatch):
    """It writes between two looks."""
    theirs = take_lease(tmp_path, "elsewhere:1:1")

    def write(seconds):
        with theirs.held():
            pass

    monkeypatch.setattr(lease.time, "sleep", write)
    with pytest.raises(Problem, match="being trained by another process") as caught:
        take_lease(tmp_path, this_process())
    assert caught.value.value == "elsewhere:1:1"


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Problem, match="cannot write"):
        take_lease(tmp_path / "file" / "key", this_process())
