"""The same params and data give the same dvc.lock: by the flow or by hand, here or elsewhere."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ELSEWHERE = {
    "HOSTNAME": "elsewhere",
    "LANG": "tr_TR.UTF-8",
    "LC_ALL": "C",
    "PYTHONHASHSEED": "7",
    "TZ": "Pacific/Chatham",
}


@pytest.mark.system
def test_a_repro_by_hand_elsewhere_gives_the_lock_of_the_flow(made, clone, tmp_path):
    folder = tmp_path / "deeper" / "and deeper" / "ünder"
    folder.mkdir(parents=True)
    clone(folder)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **ELSEWHERE, "PATH": path}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        ["dvc", "repro"], cwd=folder, env=environment, umask=0o077, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert any((folder / "pipeline").rglob("*.pyc")) or sys.dont_write_bytecode
    here, there = (yaml.safe_load((one / "dvc.lock").read_text()) for one in (made, folder))
    assert there == here
