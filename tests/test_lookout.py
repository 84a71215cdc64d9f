"""The lookout: it looks while the block works, and no longer."""

import threading

from pipeline.lookout import lookout


def test_it_looks_until_the_block_ends():
    looks = []
    enough = threading.Event()

    def look():
        looks.append(True)
        if len(looks) == 3:
            enough.set()

    before = threading.active_count()
    with lookout(look, every=0.001):
        assert enough.wait(60)
    assert threading.active_count() == before


def test_what_it_meets_ends_it_and_is_left_to_the_block():
    looks = []

    def look():
        looks.append(threading.current_thread())
        raise OSError("the disk is full")

    with lookout(look, every=0.001):
        while not looks:
            pass
        looks[0].join(60)
    assert len(looks) == 1
