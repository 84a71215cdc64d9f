"""The flow, without Prefect's server: its tasks are called as they are."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from flows import retrain
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
