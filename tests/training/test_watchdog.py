"""The watchdog: what it reports, by a clock of the test's own."""

from pipeline.training.watchdog import Watchdog

SILENT = "no step or validation has ended for"


def told(watchdog, speeds, *, start=0.0):
    """What is reported where stretches have these speeds (tokens a second), five steps each."""
    now, notes = start, []
    for speed in speeds:
        for _ in range(5):
            now += 2.0
            notes.append(watchdog.step(2 * speed, 2.0, now))
    return [note for note in notes if note]


def test_a_speed_far_below_the_usual_one_is_reported_once_and_its_end_too():
    watchdog = Watchdog(0.5, None, 0.0)
    notes = told(watchdog, [100, 100, 110, 90, 100, 60, 49, 40, 30, 95])
    assert notes == [
        "slow: 49 target tokens/s, where 100 were usual",
        "no longer slow: 95 target tokens/s",
    ]


def test_nothing_is_slow_before_it_is_known_what_is_usual():
    assert told(Watchdog(0.5, None, 0.0), [100, 100, 100, 100, 1]) == []


def test_what_stays_slow_becomes_usual():
    notes = told(Watchdog(0.5, None, 0.0), [100] * 30 + [10] * 30 + [9])
    assert notes == [
        "slow: 10 target tokens/s, where 100 were usual",
        "no longer slow: 10 target tokens/s",
    ]


def test_a_silence_is_reported_once_and_again_after_something_was_heard():
    watchdog = Watchdog(None, 300.0, 50.0)
    assert watchdog.look(349.0) == ""
    assert watchdog.look(351.0) == f"{SILENT} 301 s"
    assert watchdog.look(900.0) == ""
    watchdog.heard(1000.0)
    assert watchdog.look(1299.0) == ""
    assert watchdog.step(10, 1.0, 1300.0) == ""
    assert watchdog.look(1599.0) == ""
    assert watchdog.look(1700.0) == f"{SILENT} 400 s"


def test_what_is_switched_off_is_not_reported():
    watchdog = Watchdog(None, None, 0.0)
    assert told(watchdog, [100] * 8 + [1]) == []
    assert watchdog.look(1e9) == ""
