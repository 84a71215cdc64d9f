"""What a finished run leaves, and that it is found again."""

import json

import pytest

from pipeline.files import read_json, write_json
from pipeline.training import finished
from pipeline.training.run import Outcome
from pipeline.training.state import TrainingState, Validation

STATE = TrainingState(
    step=8,
    tokens=800,
    skipped=1,
    curve=(
        Validation(4, 2.5, 0.001, {"loss": 2.0, "bleu": 10.5}),
        Validation(8, 1.5, 0.0005, {"loss": 1.75, "bleu": 12.0}),
    ),
    best=(8, 4),
)
KEY = "0123456789abcdef"


def write_model(folder):
    write_json(folder / "model.json", {"width": 8})
    (folder / "weights.safetensors").write_bytes(b"weights")


@pytest.fixture
def kept(tmp_path):
    folder = tmp_path / "state" / KEY
    folder.mkdir(parents=True)
    finished.keep(folder, KEY, Outcome(STATE, True, {"loss": 1.7, "bleu": 13.0}), write_model)
    return folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_outs(kept, tmp_path):
    finished.hand_out(kept, tmp_path / "artifacts")
    found = files(tmp_path / "artifacts")
    assert sorted(found) == [
        "curves.csv", "model/model.json", "model/run.json", "model/weights.safetensors",
    ]  # fmt: skip
    assert found["curves.csv"].decode() == (
        "step,train_loss,valid_loss,valid_score,rate\n4,2.5,2.0,10.5,0.001\n8,1.5,1.75,12.0,0.0005\n"
    )
    assert json.loads(found["model/run.json"]) == {
        "averaged_steps": [4, 8],
        "epochs": 0,
        "run_key": KEY,
        "skipped": 1,
        "rollbacks": 0,
        "steps": 8,
        "stopped_early": False,
        "target_tokens": 800,
        "valid": {"bleu": 13.0, "loss": 1.7},
    }


def test_handed_out_again_they_are_the_same_bytes(kept, tmp_path):
    finished.hand_out(kept, tmp_path / "artifacts")
    first = files(tmp_path / "artifacts")
    (tmp_path / "artifacts/model/left over").write_text("gone")
    finished.hand_out(kept, tmp_path / "artifacts")
    assert files(tmp_path / "artifacts") == first


def test_a_file_that_was_cut_makes_it_unfinished(kept):
    assert finished.is_finished(kept)
    (kept / "finished/weights.safetensors").write_bytes(b"weig")
    assert not finished.is_finished(kept)


def test_outs_that_were_fetched_seed_their_key(kept, tmp_path):
    finished.hand_out(kept, tmp_path / "artifacts")
    model, curves = tmp_path / "artifacts/model", tmp_path / "artifacts/curves.csv"
    assert finished.seed(model, curves, tmp_path / "fresh")
    assert files(tmp_path / "fresh" / KEY) == files(kept)
    assert not finished.seed(model, curves, tmp_path / "fresh")


def test_what_is_no_complete_out_seeds_nothing(kept, tmp_path):
    finished.hand_out(kept, tmp_path / "artifacts")
    model, curves = tmp_path / "artifacts/model", tmp_path / "artifacts/curves.csv"
    assert not finished.seed(model, tmp_path / "absent.csv", tmp_path / "fresh")
    write_json(model / "run.json", {**read_json(model / "run.json"), "run_key": "../../elsewhere"})
    assert not finished.seed(model, curves, tmp_path / "fresh")
    assert not (tmp_path / "fresh").exists()


@pytest.mark.parametrize("order", [1, -1])
def test_norms_have_the_same_columns_in_whatever_order_a_checkpoint_gave_them(order):
    norms = {"back_16": 0.1, "back_2": 0.2, "of_encoder": 0.3}
    row = Validation(4, 1.5, 0.5, {"loss": 1.25}, dict(list(norms.items())[::order]))
    text = finished.curves(TrainingState(curve=(row,)))
    assert text.splitlines()[0].endswith(",rate,back_2,back_16,of_encoder")
    assert text.splitlines()[1].endswith(",0.5,0.2,0.1,0.3")
