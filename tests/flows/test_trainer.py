"""What the flow knows of training: results count as a finished key only as dvc.lock has them."""

import subprocess
import sys
from pathlib import Path

import pytest

from flows.plan import Planned
from flows.trainer import seed_finished
from flows.walk import Place

KEY = "0123456789abcdef"
DVC_YAML = """\
stages:
  train:
    cmd: python train.py
    deps: [train.py]
    outs: [artifacts/model, artifacts/curves.csv]
"""
TRAIN = f"""\
import pathlib
folder = pathlib.Path("artifacts/model")
folder.mkdir(parents=True)
(folder / "run.json").write_text('{{"run_key": "{KEY}"}}')
for name in ("model.json", "weights.safetensors", "../curves.csv"):
    (folder / name).write_text(name)
"""


@pytest.fixture
def trained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose results were made, or pulled, and whose state is empty."""
    from flows import child

    monkeypatch.chdir(tmp_path)
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "train.py").write_text(TRAIN)
    subprocess.run(["git", "init", "-q"], check=True)
    for arguments in (["init", "-q"], ["repro", "-q"]):
        child.run(["dvc", *arguments], lambda line: print(line, file=sys.stderr))
    return tmp_path


def test_results_as_locked_make_a_finished_key_and_altered_ones_do_not(trained: Path) -> None:
    place, plan = Place(trained, trained / "state"), [Planned("train", "run")]
    weights = trained / "artifacts/model/weights.safetensors"
    before = weights.read_text()
    weights.unlink()  # DVC's copy is not to be altered with it
    weights.write_text("altered")
    seed_finished(place, plan)
    assert not (trained / "state").exists()
    weights.write_text(before)
    seed_finished(place, [Planned("train", "up to date")])
    assert not (trained / "state").exists()
    seed_finished(place, plan)
    finished = trained / "state" / KEY / "finished"
    assert (finished / "weights.safetensors").read_text() == before


def test_where_there_is_no_result_there_is_nothing_to_seed(trained: Path) -> None:
    (trained / "artifacts/model/run.json").unlink()
    seed_finished(Place(trained, trained / "state"), [Planned("train", "run")])
    assert not (trained / "state").exists()
