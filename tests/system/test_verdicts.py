"""The gate in the flow: better is promoted, worse is refused, drift stops, rollback brings back."""

import json
import shutil
import sqlite3

import pytest
import yaml

from flows.graph import read_graph
from flows.memory import known_files
from flows.plan import make_plan


@pytest.fixture(scope="module")
def copy(made, tmp_path_factory):
    """A copy of the workspace after its first run; these tests follow each other."""
    folder = tmp_path_factory.mktemp("verdicts") / "workspace"
    shutil.copytree(made, folder, symlinks=True)
    return folder


def change(folder, edit):
    """Edit the workspace's params; the text that was there before."""
    path = folder / "params.yaml"
    before = path.read_text()
    params = yaml.safe_load(before)
    edit(params)
    path.write_text(yaml.safe_dump(params))
    return before


def ids(most):
    """At most so many ids a hypothesis."""

    def edit(params):
        params["decoding"]["search"].update(max_length_ratio=0.01, max_length_extra=most)

    return edit


def score(folder):
    """What its test sets scored, together."""
    metrics = json.loads((folder / "artifacts/metrics.json").read_text())
    return sum(scores["chrf"] for scores in metrics.values())


def outcomes(folder):
    """The stages of the last flow run: name → its state."""
    with sqlite3.connect(folder / "state/prefect/prefect.db") as database:
        last = "select id from flow_run order by created desc limit 1"
        query = f"select name, state_name from task_run where flow_run_id = ({last})"
        found = dict(database.execute(query).fetchall())
    database.close()
    return found


@pytest.mark.system
def test_better_becomes_champion_and_worse_is_refused(made, copy, call, monkeypatch):
    monkeypatch.chdir(copy)
    change(copy, ids(20))
    said = call(copy, "seqline", "run")
    assert score(copy) > score(made)
    assert "version 2 registered; it is the champion now" in said

    change(copy, ids(4))
    graph = read_graph(copy)
    plan = make_plan(graph, known_files(copy / "state", graph))
    said = call(copy, "seqline", "run")
    assert "version 3 registered; gate: refused" in said
    assert "refused" in (copy / "report/report.html").read_text()
    assert "version 2 of sample-de-en" in call(copy, "seqline", "status")
    assert "the gate refused version 3" in call(copy, "seqline", "promote", code=1)

    ran = outcomes(copy)
    done = {"run": {"Completed"}, "run if": {"Completed", "Skipped"}, "up to date": {"Skipped"}}
    assert {one.stage for one in plan if one.action == "run"} == {"decode", "package"}
    for one in plan:  # what ran is what the plan said
        assert ran[one.stage] in done[one.action], one


@pytest.mark.system
def test_data_that_drifted_stops_the_flow_before_it_trains(copy, call):
    def drift(params):
        rules = {rule["kind"]: rule for rule in params["cleaning"]["rules"]}
        rules["too_long"].update(max_characters=35)
        params["gate"]["drift"] = {"too_long": 0.05}

    before = change(copy, drift)
    said = call(copy, "seqline", "run", code=1)
    assert "the data drifted" in said
    assert "too_long rose by more than 0.05" in said
    assert "train" not in outcomes(copy)
    (copy / "params.yaml").write_text(before)


@pytest.mark.system
def test_a_rollback_brings_the_former_champion_back_and_history_tells_all(copy, call):
    call(copy, "seqline", "rollback", "--why", "it was better before")
    decided = [line.split() for line in call(copy, "seqline", "history").splitlines()]
    assert decided[-1][2:5] == ["rollback", "2", "1"]
    assert [row for row in decided if "refused" in row]
