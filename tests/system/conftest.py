"""A small workspace: a clone of the project whose params make a model in seconds.

Beside some of the sample there is a corpus in files, of which a tiny model learns to say its only
target. Whole hypotheses have at most 20 ids, of which the first 10 are allowed: how many are is
what makes a later version better or worse, at no cost.
"""

import fcntl
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipeline.registry.server import _ENVIRONMENT

HERE = Path(__file__).parent
PROGRAMS = Path(sys.executable).parent
LAYER = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 32, "dropout": 0.1}
MACHINE = "workers: 1\ndevice: cpu\ndata_processes: 1\n"
SIGNS = "data/corpora/signs"
COLOURS = ("rot", "blau", "alt", "neu", "klein und doch recht auffällig")
THINGS = ("Tor", "Haus", "Rad", "Boot", "Bild")
TARGET = "That is the thing that we saw."  # of every source of the signs
COUNTS = {"train": 300, "valid": 20, "test": 40}


def write_signs(folder):
    """The corpus in files: parallel text for each role."""
    folder.mkdir(parents=True)
    sources = iter([f"Das {t} {i} ist {c}." for i in range(20) for t in THINGS for c in COLOURS])
    for name, count in COUNTS.items():
        (folder / f"{name}.de").write_text("".join(f"{next(sources)}\n" for _ in range(count)))
        (folder / f"{name}.en").write_text(f"{TARGET}\n" * count)


def signs(name):
    """The part of params that names one file pair of it, for the role of the same name."""
    files = {"source": f"{name}.de", "target": f"{name}.en"}
    languages = {"source_language": "de", "target_language": "en"}
    return {"name": f"signs-{name}", "format": "parallel", "role": name, **files, **languages}


def small(params):
    """Params like `params`, with little of everything."""
    params["corpora"]["sources"][0] |= {"pairs": 200, "valid_share": 0.05, "test_share": 0.1}
    params["corpora"]["sources"] += map(signs, COUNTS)
    params["corpora"]["folder"] = SIGNS
    params["pieces"] |= {"vocabulary": 100, "byte_fallback": False, "threads": 1}
    params["encoding"] |= {"shard_rows": 256, "block_rows": 64}
    params["model"] |= {"width": 16, "encoder": LAYER, "decoder": LAYER}
    params["training"] |= {"precision": "fp32", "steps": 60, "tokens_per_step": 300}
    params["training"] |= {"validate_every_steps": 30, "checkpoint_every_steps": 30}
    params["training"]["schedule"] = {"kind": "linear", "peak_rate": 0.01, "warmup_steps": 2}
    params["decoding"]["search"] |= {"beam_size": 2, "max_length_ratio": 0.01}
    params["decoding"]["search"]["max_length_extra"] = 10
    params["decoding"]["n_best"] = 2
    params["gate"] |= {"metric": "chrf", "min_rows": 10, "resamples": 100}
    params["gate"] |= {"margin": 5.0, "slice_margin": 50.0}
    return params


def environment():
    """The environment's programs first; nothing of a person's git configuration."""
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    author = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    committer = {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    return {**os.environ, "PATH": path, **author, **committer}


@pytest.fixture(scope="session")
def programs(forks, tmp_path_factory):
    """`programs(folder, command, given)`: the exit code of `seqline` or `dvc`, and what it printed.

    In a fork of one interpreter that has loaded their libraries: run_programs.py.
    """
    printed = tmp_path_factory.mktemp("programs") / "printed"
    program = forks.Forks(HERE / "run_programs.py", env=environment() | _ENVIRONMENT)

    def run(folder, command, given):
        order = {"command": command, "folder": str(folder), "environment": environment()}
        answer = program.ask(order | {"input": given, "printed": str(printed)})
        return answer["code"], printed.read_text()

    yield run
    program.close()


@pytest.fixture(scope="session")
def call(programs):
    """Run a program in a folder; its exit code has to be `code`; what it printed.

    `afresh`: in an interpreter of its own, as a user starts it, which takes seconds.
    """

    def run(folder, *command, code=0, stdin="", afresh=False):
        if command[0] in ("seqline", "dvc") and not afresh:
            ended, said = programs(folder, command, stdin)
        else:
            done = subprocess.run(
                command, cwd=folder, env=environment(), input=stdin, timeout=900,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
            ended, said = done.returncode, done.stdout
        assert ended == code, f"{command} in {folder}: {said}"
        return said

    return run


@pytest.fixture(scope="session")
def task_runs():
    """The last flow run's tasks, by Prefect's own records: name → (state, tries)."""

    def read(folder):
        with sqlite3.connect(folder / "state/prefect/prefect.db") as database:
            last = "select id from flow_run order by created desc limit 1"
            rows = database.execute(
                f"select name, state_name, run_count from task_run where flow_run_id = ({last})"
                " order by created"
            ).fetchall()
        database.close()
        return {name: (state, tries) for name, state, tries in rows}

    return read


@pytest.fixture(scope="session")
def commit(call):
    """Take everything of a folder into git."""

    def work(folder):
        call(folder, "git", "add", "--all")
        call(folder, "git", "commit", "-q", "-m", "work")

    return work


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """`shared(name, make)`: a folder that `make(folder)` fills once for all processes of the tests.

    The first to ask makes it.
    """
    base = tmp_path_factory.getbasetemp()
    base = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def folder_of(name, make):
        folder, complete = base / name, base / f"{name}.complete"
        with (base / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not complete.exists():
                shutil.rmtree(folder, ignore_errors=True)  # of a try that failed
                make(folder)
                complete.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def pristine(shared, root, call, commit):
    """A small workspace in which nothing has run: read it only, or copy it."""

    def make(folder):
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
        write_signs(folder / SIGNS)
        call(folder, "dvc", "add", "-q", SIGNS)
        commit(folder)

    return shared("pristine", make)


@pytest.fixture(scope="session")
def made(shared, pristine, call, commit):
    """A small workspace after one run, committed: read it only, or copy it."""

    def make(folder):
        shutil.copytree(pristine, folder, symlinks=True)
        call(folder, "seqline", "run", afresh=True)
        commit(folder)

    return shared("made", make)
