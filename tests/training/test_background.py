"""Background: in order, one in work and one waiting; a failure ends it, and is told."""

import threading

import pytest

from pipeline.problems import Problem
from pipeline.training.background import Background


def test_jobs_are_done_in_order_while_others_go_on():
    gate, done = threading.Event(), []
    with Background() as background:
        background.do(lambda: done.append(gate.wait(60)))
        background.do(lambda: done.append("second"))
        assert done == []
        assert background.busy
        gate.set()
        background.wait()
        assert done == [True, "second"]
        assert not background.busy


def test_one_is_in_work_and_one_waits_and_a_third_waits_for_the_first():
    gate, given = threading.Event(), []
    with Background() as background:
        for _ in range(2):
            background.do(lambda: gate.wait(60))

        def third():
            background.do(lambda: None)
            given.append(gate.is_set())

        thread = threading.Thread(target=third)
        thread.start()
        assert given == []
        gate.set()
        thread.join(60)
    assert given == [True]


def fail():
    raise Problem("cannot write")


def test_what_fails_is_raised_and_what_waits_behind_it_is_not_done():
    gate, done = threading.Event(), []

    def fail_late():
        gate.wait(60)
        fail()

    with pytest.raises(Problem, match="cannot write"), Background() as background:
        background.do(fail_late)
        background.do(lambda: done.append("behind"))
        gate.set()
        with pytest.raises(Problem, match="cannot write"):
            background.wait()
        for again in (background.check, lambda: background.do(lambda: done.append("later"))):
            with pytest.raises(Problem, match="cannot write"):
                again()
    assert done == []


def test_no_thread_is_left_whatever_ends_the_block():
    """What was given is done first, and an error of the block is not hidden by one of a job."""
    before, done = threading.active_count(), []
    with pytest.raises(KeyError), Background() as background:
        background.do(lambda: done.append("kept"))
        background.do(fail)
        raise KeyError
    assert done == ["kept"]
    assert threading.active_count() == before
