"""A small workspace: a clone of the project whose params make a model of nothing in seconds."""

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

PROGRAMS = Path(sys.executable).parent
LAYER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 32, "dropout": 0.1}
MACHINE = "workers: 1\ndevice: cpu\ndata_processes: 1\n"


def small(params):
    """Params like `params`, with little of everything."""
    params["corpora"]["sources"][0] |= {"pairs": 400, "valid_share": 0.05, "test_share": 0.1}
    params["pieces"] |= {"vocabulary": 200, "byte_fallback": False, "threads": 1}
    params["encoding"] |= {"shard_rows": 256, "block_rows": 64}
    params["model"] |= {"width": 16, "encoder": LAYER, "decoder": LAYER}
    params["training"] |= {"precision": "fp32", "steps": 6, "tokens_per_step": 300}
    params["training"] |= {"validate_every_steps": 3, "checkpoint_every_steps": 3}
    params["training"]["schedule"] = {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 2}
    params["decoding"]["search"] |= {"beam_size": 2, "max_length_ratio": 1.0, "max_length_extra": 3}
    params["decoding"]["n_best"] = 2
    params["gate"] |= {"min_rows": 10, "resamples": 100, "margin": 5.0, "slice_margin": 50.0}
    return params


def environment():
    """The environment's programs first; nothing of a person's git configuration."""
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    committer = {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    return {**os.environ, "PATH": path, **author, **committer}


@pytest.fixture(scope="session")
def call():
    """Run a program in a folder; its exit code has to be `code`; what it printed."""

    def run(folder, *command, code=0, stdin=""):
        done = subprocess.run(
            command, cwd=folder, env=environment(), input=stdin, timeout=900,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert done.returncode == code, f"{command} in {folder}: {done.stdout}"
        return done.stdout

    return run


@pytest.fixture(scope="session")
def commit(call):
    """Take everything of a folder into git."""

    def work(folder):
        call(folder, "git", "add", "--all")
        call(folder, "git", "commit", "-q", "-m", "work")

    return work


@pytest.fixture(scope="session")
def pristine(root, call, commit, tmp_path_factory):
    """A small workspace in which nothing has run: read it only, or copy it."""
    folder = tmp_path_factory.mktemp("pristine") / "workspace"
    names = call(root, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    for name in filter(None, names.split("\0")):
        if (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    params = yaml.safe_dump(small(yaml.safe_load((root / "params.yaml").read_text())))
    for name in ("params.yaml", "recipes/sample-de-en.yaml"):
        (folder / name).write_text(params)
    (folder / "machine.yaml").write_text(MACHINE)
    call(folder, "git", "init", "-q")
    commit(folder)
    return folder


@pytest.fixture(scope="session")
def made(pristine, call, commit, tmp_path_factory):
    """A small workspace after one run, committed: read it only, or copy it.

    Tests run side by side in several processes: the first to ask makes it, for all of them.
    """
    shared = tmp_path_factory.getbasetemp()
    shared = shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared
    folder, complete = shared / "made", shared / "made.complete"
    with (shared / "made.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not complete.exists():
            shutil.copytree(pristine, folder, symlinks=True)
            call(folder, "seqline", "run")
            commit(folder)
            complete.touch()
    return folder
