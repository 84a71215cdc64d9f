"""A clone that pulled has results, and registers them without running a stage."""

import json
import shutil

import pytest


@pytest.mark.system
def test_a_clone_that_pulled_registers_without_running_a_stage(made, call, commit, tmp_path):
    origin, clone, remote = (tmp_path / name for name in ("origin", "clone", "remote"))
    shutil.copytree(made, origin, symlinks=True)
    remote.mkdir()
    call(origin, "dvc", "remote", "add", "--default", "store", str(remote))
    call(origin, "dvc", "push")
    commit(origin)
    call(tmp_path, "git", "clone", "-q", str(origin), str(clone))
    call(clone, "dvc", "pull", afresh=True)

    assert "version 1 of sample-de-en" in call(clone, "seqline", "register", afresh=True)
    assert call(clone, "git", "status", "--porcelain") == ""
    assert not (clone / "state/flow/times.jsonl").exists()
    key = json.loads((clone / "artifacts/model/run.json").read_text())["run_key"]
    assert not (clone / "state" / key).exists()  # nothing was trained here
    assert "nothing is stale" in call(clone, "seqline", "plan")
