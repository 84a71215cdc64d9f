"""Checkpoints: complete or not there; what was cut, altered or disguised is told, and passed."""

import io
import os
import pickle
import resource
import shutil

import pytest
import torch

from pipeline.files import read_json, write_manifest
from pipeline.problems import Problem
from pipeline.training import checkpoint
from pipeline.training.checkpoint import Checkpoint, every, load, newest, prune, save
from pipeline.training.state import TrainingState

WEIGHTS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.tensor([0.1], dtype=torch.float64)}
FILES = {"manifest.json", "optimizer.safetensors", "state.json", "weights.safetensors"}
MOMENTS = {"count": torch.tensor([7]), "first/a": torch.ones(2, 3)}


def saved(folder, step, *, planned=True):
    state = TrainingState(step=step, loss=0.1 + 0.2, best=(3,))
    return save(folder, Checkpoint(WEIGHTS, MOMENTS, state, planned))


def torch_made(value):
    """The bytes that torch.save writes."""
    file = io.BytesIO()
    torch.save(value, file)
    return file.getvalue()


def newest_of(folder):
    notes = []
    path = newest(folder, lambda _: None, notes.append)
    return (path.name if path else None), notes


def test_what_is_loaded_is_what_was_saved_to_the_bit(tmp_path):
    found = load(saved(tmp_path, 12))
    assert found.state == TrainingState(step=12, loss=0.1 + 0.2, best=(3,))
    assert found.planned
    for ours, theirs in ((found.weights, WEIGHTS), (found.optimizer, MOMENTS)):
        assert ours.keys() == theirs.keys()
        for name in theirs:
            assert ours[name].dtype == theirs[name].dtype
            assert torch.equal(ours[name], theirs[name])


def test_the_files_of_a_checkpoint(tmp_path):
    names = sorted(path.name for path in saved(tmp_path, 12).iterdir())
    assert names == sorted(FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["00000012"]


def test_saving_again_replaces(tmp_path):
    saved(tmp_path, 12, planned=False)
    saved(tmp_path, 12)
    assert load(tmp_path / "00000012").planned


@pytest.mark.parametrize("name", ["weights.safetensors", "optimizer.safetensors", "state.json"])
def test_a_file_cut_in_half_is_told_and_the_one_before_is_used(tmp_path, name):
    saved(tmp_path, 10)
    path = saved(tmp_path, 20) / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found, notes = newest_of(tmp_path)
    assert found == "00000010"
    assert len(notes) == 1
    assert "checkpoint 00000020 skipped" in notes[0]
    assert "cut or altered" in notes[0]
    assert [path.name for path in every(tmp_path)] == ["00000010"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["00000010", "torn-00000020"]
    assert "kept as torn-00000020" in notes[0]


def test_a_flipped_byte_is_told(tmp_path):
    path = saved(tmp_path, 20) / "weights.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert newest_of(tmp_path)[0] is None


@pytest.mark.parametrize("name", ["manifest.json", "weights.safetensors"])
def test_a_missing_file_is_told(tmp_path, name):
    (saved(tmp_path, 20) / name).unlink()
    assert newest_of(tmp_path)[0] is None


class Trap:
    """A pickle that leaves a trace when it is loaded."""

    def __init__(self, trace):
        self.trace = trace

    def __reduce__(self):
        return (open, (str(self.trace), "w"))


@pytest.mark.parametrize("name", ["weights.safetensors", "state.json"])
def test_a_pickle_in_disguise_is_never_executed(tmp_path, name):
    folder, trace = saved(tmp_path, 20), tmp_path / "trace"
    (folder / name).write_bytes(pickle.dumps(Trap(trace)))
    (folder / "manifest.json").unlink()
    write_manifest(folder)  # the enemy writes a manifest that fits
    found, notes = newest_of(tmp_path)
    assert found is None
    assert len(notes) == 1
    assert not trace.exists()
    with pytest.raises(Problem, match=r"no valid|broken JSON"):
        load(saved_with(tmp_path, name, pickle.dumps(Trap(trace))))
    assert not trace.exists()


def saved_with(folder, name, content):
    path = saved(folder, 30)
    (path / name).write_bytes(content)
    write_manifest(path)
    return path


class Shell:
    """A pickle that asks for a program."""

    def __reduce__(self):
        return (os.system, ("touch trace",))


@pytest.mark.parametrize("name", sorted(FILES))
@pytest.mark.parametrize("made", [pickle.dumps, torch_made])
def test_no_file_of_a_checkpoint_can_execute_code(tmp_path, monkeypatch, name, made):
    """By pickle or by torch.save, under any of its names: refused, and one before is used."""
    monkeypatch.chdir(tmp_path)
    saved(tmp_path, 10)
    folder = saved(tmp_path, 20)
    (folder / name).write_bytes(made(Shell()))
    if name != "manifest.json":
        (folder / "manifest.json").unlink()
        write_manifest(folder)
    found, notes = newest_of(tmp_path)
    assert found == "00000010"
    assert "checkpoint 00000020 skipped" in notes[0]
    assert not (tmp_path / "trace").exists()
    pickle.loads(pickle.dumps(Shell()))
    assert (tmp_path / "trace").exists(), "the trap works"


def test_a_half_written_folder_is_not_among_the_checkpoints(tmp_path):
    saved(tmp_path, 10)
    shutil.copytree(tmp_path / "00000010", tmp_path / ".00000020.77.tmp")
    assert [path.name for path in every(tmp_path)] == ["00000010"]


def test_the_newest_two_and_the_newest_two_planned_ones_are_kept(tmp_path):
    planned_ones = [(5, True), (10, True), (20, True)]
    for step, planned in [*planned_ones, (30, False), (40, False), (50, False)]:
        saved(tmp_path, step, planned=planned)
        states = prune(tmp_path, pytest.fail)
    assert [state.step for state in sorted(states, key=lambda s: s.step)] == [10, 20, 40, 50]
    names = [path.name for path in every(tmp_path)]
    assert names == ["00000050", "00000040", "00000020", "00000010"]


@pytest.mark.parametrize("content", [None, "", "[]", '{"state": 1, "planned": true}'])
def test_an_older_one_that_cannot_be_read_is_told_and_removed(tmp_path, content):
    """As where a kill cut its removal short."""
    for step in (10, 20, 30):
        saved(tmp_path, step)
    (tmp_path / "00000010" / "state.json").unlink()
    if content is not None:
        (tmp_path / "00000010" / "state.json").write_text(content)
    notes = []
    assert {state.step for state in prune(tmp_path, notes.append)} == {20, 30}
    assert [path.name for path in every(tmp_path)] == ["00000030", "00000020"]
    assert len(notes) == 1
    assert notes[0].startswith("checkpoint 00000010 removed: ")


def test_the_former_one_stays_where_saving_fails(tmp_path, monkeypatch):
    saved(tmp_path, 10)

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_manifest", full)
    with pytest.raises(Problem, match="No space left on device"):
        saved(tmp_path, 20)
    assert [path.name for path in tmp_path.iterdir()] == ["00000010"]


def test_a_disk_that_takes_no_more_is_a_problem(tmp_path):
    """Files may not grow beyond a few bytes: what a quota, or a full disk, says to tensors too."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(Problem, match="cannot write"):
            saved(tmp_path / "checkpoints", 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert every(tmp_path / "checkpoints") == []


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Problem, match="cannot write"):
        saved(tmp_path / "file", 20)


def test_state_is_json_that_people_can_read(tmp_path):
    content = read_json(saved(tmp_path, 12) / "state.json")
    assert content["planned"] is True
    assert content["state"]["position"] == {"epoch": 0, "window": 0, "group": 0}
