"""The flow, without Prefect's server: its tasks are called as they are."""

import logging
import shutil
from pathlib import Path
from typing import Any

import pytest

from flows import retrain
from flows.closing import Ending, sentence
from flows.commands.promote import promote
from flows.commands.register import register
from flows.params import set_value
from flows.plan import Planned
from flows.release import outside
from flows.walk import Place
from pipeline.machine import Machine
from pipeline.normalise import Normaliser
from pipeline.pieces import TRAINERS
from pipeline.pieces.pieces import write_pieces
from pipeline.problems import Problem
from pipeline.records import Verdict, Version


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


def test_what_the_pieces_cannot_spell_stops_a_run_before_rows_are_encoded(workspace, root):
    """On the second run too, when the pieces are up to date."""
    folder = workspace("one")
    allowed = "{kind: texts, texts: [ça, Öl]}"
    params = set_value((root / "params.yaml").read_text(), "decoding.allowed", allowed)
    (folder / "params.yaml").write_text(params)
    shutil.copy(root / "dvc.yaml", folder)
    trainer = TRAINERS["unigram"](vocabulary=13, byte_fallback=False, threads=1)
    model = trainer.train(["21 März", "ça"] * 20)
    write_pieces(folder / "artifacts/pieces", (model,), Normaliser())
    plan = [Planned("pieces", "up to date"), Planned("encode", "run")]
    with pytest.raises(Problem, match="no piece spells") as caught:
        retrain.walk(Place(folder, Path("state")), plan, outside(Machine()))
    assert "found:  Öl" in str(caught.value)


@pytest.mark.parametrize(
    ("action", "found", "state", "outcome"),
    [
        ("up to date", None, "Skipped", "skipped"),
        ("run", "ran", "Completed", "ran"),
        ("run if", "skipped", "Skipped", "skipped"),
        ("run if", "restored", "Restored", "restored"),
        ("restore", "skipped", "Restored", "restored"),  # checked out before DVC was asked
    ],
)
def test_a_stages_state_says_what_became_of_it(
    monkeypatch, tmp_path, action, found, state, outcome
):
    monkeypatch.setattr(retrain, "get_run_logger", lambda: logging.getLogger("tests"))
    monkeypatch.setattr(retrain, "reproduce", lambda place, stage, tell: found)
    done = retrain.run_stage(Place(tmp_path, tmp_path), Planned("evaluate", action, ("cause",)))
    assert (done.name, retrain.outcome_of(done)) == (state, outcome)


@pytest.mark.parametrize(
    ("created", "what"), [(True, "registered"), (False, "was registered before")]
)
def test_a_run_says_whether_its_version_is_a_new_one(created, what):
    version = Version("m", "3", "digest", "run", "source", created=created)
    verdict = Verdict("passed", "3", "2", "rows", "settings")
    ending = Ending(version, verdict, False, Path("report.html"), ())
    assert sentence(ending) == f"m version 3 {what}; gate: passed"
