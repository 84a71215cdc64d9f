from pathlib import Path

import pytest

from flows.bill import duration, item, total
from flows.memory import expected_seconds, remember_time
from pipeline.machine import Machine


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, ""), (0.44, "0.4 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_durations_are_for_people(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


def test_the_bill_has_the_machines_price() -> None:
    machine = Machine(price_per_hour=3.6)
    items = [item(machine, "train", "ran", 50.0, 40.0), item(machine, "decode", "ran", 10.0)]
    assert [one.row() for one in [*items, total(items, machine)]] == [
        {
            "stage": "train",
            "outcome": "ran",
            "time": "50 s",
            "forecast": "40 s",
            "cost": "0.0500 EUR",
        },
        {"stage": "decode", "outcome": "ran", "time": "10 s", "forecast": "", "cost": "0.0100 EUR"},
        {
            "stage": "total",
            "outcome": "",
            "time": "1 min 0 s",
            "forecast": "",
            "cost": "0.0600 EUR",
        },
    ]


def test_without_a_price_there_is_no_cost() -> None:
    assert item(Machine(), "train", "ran", 50.0).row()["cost"] == ""


def test_the_forecast_is_the_longest_of_three_in_proportion_to_steps(tmp_path: Path) -> None:
    assert expected_seconds(tmp_path, "train", 100) is None
    for seconds in (900.0, 60.0, 80.0, 4.0):
        remember_time(tmp_path, "train", seconds, 200)
    remember_time(tmp_path, "clean", 5.0, None)
    assert expected_seconds(tmp_path, "train", 100) == 40.0
    assert expected_seconds(tmp_path, "clean") == 5.0
