"""The same params and data give the same dvc.lock: by the flow or by hand, here or elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

# The C locale with ASCII as the file system's encoding: what differs most from UTF-8.
ELSEWHERE = {
    "HOSTNAME": "elsewhere",
    "LC_ALL": "POSIX",
    "PYTHONCOERCECLOCALE": "0",
    "PYTHONHASHSEED": "7",
    "TZ": "Pacific/Chatham",
}
# Every Python program of the other run reads a clock that is two years ahead.
CLOCK = """\
import time

AHEAD = 2 * 366 * 86400
seconds, nanoseconds = time.time, time.time_ns
time.time = lambda: seconds() + AHEAD
time.time_ns = lambda: nanoseconds() + AHEAD * 10**9
"""


@pytest.mark.system
def test_a_repro_by_hand_elsewhere_gives_the_lock_of_the_flow(made, pristine, tmp_path):
    folder = tmp_path / "deeper" / "and deeper" / "workspace"
    shutil.copytree(pristine, folder, symlinks=True)
    (tmp_path / "clock").mkdir()
    (tmp_path / "clock/sitecustomize.py").write_text(CLOCK)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, **ELSEWHERE, "PATH": path, "PYTHONPATH": str(tmp_path / "clock")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        ["dvc", "repro"], cwd=folder, env=environment, umask=0o077, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert any((folder / "pipeline").rglob("*.pyc"))
    here, there = (yaml.safe_load((one / "dvc.lock").read_text()) for one in (made, folder))
    assert there == here
