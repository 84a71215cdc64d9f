"""The flow, without Prefect's server: its tasks are called as they are."""

from pathlib import Path
from typing import Any

import pytest

from flows import retrain
from flows.commands.promote import promote
from flows.commands.register import register
from flows.plan import Planned
from flows.release import outside
from flows.walk import Place
from pipeline.machine import Machine
from pipeline.problems import Problem


@pytest.fixture(autouse=True)
def plain_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    def named(name: str) -> Any:
        return lambda work: lambda *arguments, return_state=False: work(*arguments)

    monkeypatch.setattr(retrain, "named", named)


def test_drift_stops_the_second_run_too_although_clean_is_up_to_date(workspace):
    folder = workspace("one", dropped=10)
    register()
    promote(None, "", False)
    params = folder / "params.yaml"
    params.write_text(params.read_text().replace("gate: {", "gate: {drift: {too_long: 0.05}, "))
    workspace("two", dropped=20)
    plan = [Planned("clean", "up to date")]
    with pytest.raises(Problem, match="the data drifted"):
        retrain.walk(Place(folder, Path("state")), plan, outside(Machine()))
    workspace("three", dropped=14)
    [bill] = retrain.walk(Place(folder, Path("state")), plan, outside(Machine()))
    assert (bill.name, bill.outcome) == ("clean", "skipped")
