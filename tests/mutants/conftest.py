"""The mutants of this folder, and the runner that tries each in a process of its own.

A mutant is a file with `LAW` (named in docs/laws.md), `TEST` (the smallest case of that law), `WHY`
(what the bug does, one sentence) and `mutate(monkeypatch)`, which installs the bug.
"""

import importlib.util
import os
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MUTANTS = sorted(
    path
    for path in HERE.glob("*.py")
    if path.stem != "conftest" and not path.stem.startswith(("test_", "run_"))
)


@pytest.fixture(scope="session")
def tried(forks):
    """`tried(tests, mutant)`: how each phase of each case ended, and what was printed.

    In a fork of one clean interpreter with the heavy libraries loaded.
    """
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    runner = forks.Forks(HERE / "run_mutants.py", cwd=ROOT, env=environment)
    yield lambda tests, mutant=None: runner.ask({"tests": tests, "mutant": mutant})
    runner.close()


def load(path):
    """A mutant's file as a module; nothing is changed by loading it."""
    spec = importlib.util.spec_from_file_location(f"mutant_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def mutants():
    """Every mutant by name."""
    return {path.stem: load(path) for path in MUTANTS}


def pytest_generate_tests(metafunc):
    if "mutant_path" in metafunc.fixturenames:
        metafunc.parametrize("mutant_path", MUTANTS, ids=[path.stem for path in MUTANTS])


@pytest.fixture
def mutant(mutant_path):
    return load(mutant_path)
