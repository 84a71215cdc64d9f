"""Claims: one trainer a run where nothing can be locked, on a real server that speaks S3."""

import os
import socket
import threading

import pytest

import pipeline.training.claim as claim_of
import pipeline.training.lease as lease_of
from pipeline.problems import Problem
from pipeline.store import Store
from pipeline.training.claim import CLAIMS, take_claim
from pipeline.training.lease import LostLeaseError, this_process

pytestmark = pytest.mark.system
RUN = Store("s3://tests/state/key")
GONE = f"{socket.gethostname()}:{os.getpid()}:1"  # this process, but started at another time
ELSEWHERE = "elsewhere:7:7"


@pytest.fixture
def soon(monkeypatch):
    """Silence is a matter of a second."""
    for module in (claim_of, lease_of):
        monkeypatch.setattr(module, "SILENCE", 1.0)
    monkeypatch.setattr(claim_of, "LOOK", 0.05)


def listed():
    return RUN.listed(CLAIMS)


def test_the_number_only_grows_and_who_was_left_behind_hears_of_it(bucket):
    first = take_claim(RUN, this_process())
    first.check(listed())
    second = take_claim(RUN, this_process())
    assert first.name < second.name
    second.check(listed())
    with pytest.raises(LostLeaseError, match="another trainer has taken over"):
        first.check(listed())
    first.renew()  # what was under way when it was left behind
    second.check(listed())
    assert take_claim(RUN, this_process()).name > second.name
    assert len(listed()) == 1


def test_a_claim_of_a_living_process_of_this_host_is_respected_and_of_a_gone_one_taken(bucket):
    take_claim(RUN, GONE)
    take_claim(RUN, this_process())
    with pytest.raises(Problem, match="being trained by another process") as caught:
        take_claim(RUN, ELSEWHERE)
    assert (caught.value.where, caught.value.value) == (RUN.address, this_process())
    assert caught.value.retry


def test_the_silence_of_another_host_is_waited_for(bucket, soon):
    take_claim(RUN, ELSEWHERE)
    told = []
    take_claim(RUN, this_process(), report=told.append)
    assert told == [f"{ELSEWHERE} has trained this run: waiting up to 1 s for its silence"]


def test_an_owner_of_another_host_that_writes_lives(bucket, soon):
    other = take_claim(RUN, ELSEWHERE)
    timer = threading.Timer(
        0.3, lambda: RUN.write(f"{CLAIMS}/{other.name}.json", b'{"owner": ""} ')
    )
    timer.start()
    try:
        with pytest.raises(Problem, match="being trained by another process"):
            take_claim(RUN, this_process())
    finally:
        timer.join()


def test_of_those_that_come_at_once_one_holds_it(bucket):
    """Each of the same owner, so that nobody waits: the last one to write has the highest name."""
    claims, barrier = [], threading.Barrier(4, timeout=60)

    def take():
        barrier.wait()
        claims.append(take_claim(RUN, this_process()))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = listed()
    held = [claim for claim in claims if f"{CLAIMS}/{claim.name}.json" == max(found)]
    assert len(held) == 1
    assert len({claim.name for claim in claims}) == 4
