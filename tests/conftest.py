"""What every test shares: where the project is, and one thread, so that tests run side by side."""

import gc
import importlib.util
import os
import shutil
import signal
import sys
from pathlib import Path

import pytest

CORPORA = "SEQLINE_DATA"  # names the folder of real corpora, which a clone does not hold

# What a machine may lack, by the mark of the tests that need it.
LACKING = {
    mark: why
    for mark, there, why in (
        ("data", os.environ.get(CORPORA), f"those on real corpora, {CORPORA} names no folder"),
        ("compiles", shutil.which("g++"), "those of compiled steps, there is no g++"),
    )
    if not there
}

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before torch and numpy are imported

# Garbage is looked for among many new objects, not among few: libraries make a million that stay.
gc.set_threshold(50_000)

# Tests start hundreds of interpreters: each would compile the whole project anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell's background job is deaf to Ctrl-C, and so would be every program that a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="module", autouse=True)
def settled():
    """What is loaded by now stays: the garbage collector need not look at it again and again.

    Some tests collect garbage in every step; among all that a whole session holds that is slow.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def root():
    """The project's folder."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def markov(root):
    """The module tests/markov.py: a tiny model made of tables, and searches in plain Python."""
    return load(root, "markov")


@pytest.fixture(scope="session")
def tiny(root):
    """The module tests/tiny.py: every combination of parts, a few channels wide, and batches."""
    return load(root, "tiny")


@pytest.fixture(scope="session")
def engine(root, tiny):
    """The module tests/engine.py, which imports tiny: examples, and teams to train models."""
    return load(root, "engine")


@pytest.fixture(scope="session")
def elastic(root, engine):
    """The module tests/elastic.py, which imports engine: a team on nodes that come and go."""
    return load(root, "elastic")


@pytest.fixture(scope="session")
def dataline(root):
    """The module tests/dataline.py: the data stages on a small corpus, in an empty folder."""
    return load(root, "dataline")


@pytest.fixture(scope="session")
def forks(root):
    """The module tests/forks.py: programs that fork for every order."""
    return load(root, "forks")


@pytest.fixture(scope="session")
def alive():
    """`alive(pid)`: whether a process is there, and no zombie."""

    def look(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    return look


@pytest.fixture
def bucket(root, tmp_path, monkeypatch):
    """A server that speaks S3, of tests/bucket.py, with the bucket `tests`, for this test."""
    server = load(root, "bucket").Server(tmp_path / "s3.log")
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """MLflow's database right after its migrations, which take seconds: made once."""
    from pipeline.machine import Machine
    from pipeline.registry.server import Registry, connect

    folder = tmp_path_factory.mktemp("mlflow")
    machine = Machine(mlflow_uri=f"sqlite:///{folder}/mlflow.db", state=folder / "state")
    client = connect(Registry(model="none"), machine).client
    for experiment in client.search_experiments():
        if experiment.name != "Default":
            client.delete_experiment(experiment.experiment_id)
    return folder / "mlflow.db"


def pytest_generate_tests(metafunc):
    """A test that asks for `combination` runs for every combination of parts in tests/tiny.py.

    With the mark `attends`, for those whose decoder attends to the ids of the source; with the mark
    `trains`, for those that differ for whoever trains them.
    """
    if "combination" in metafunc.fixturenames:
        tiny = load(Path(__file__).resolve().parents[1], "tiny")
        names = tiny.ATTENDING if marked(metafunc.definition, "attends") else tiny.NAMES
        names = tiny.TRAINED if marked(metafunc.definition, "trains") else names
        metafunc.parametrize("combination", names)


def pytest_collection_modifyitems(config, items):
    """The longest begin, those that share a workspace last; real corpora only where there are."""
    items.sort(key=lambda item: (not marked(item, "system"), "made" in item.fixturenames))
    for mark in LACKING:
        config.hook.pytest_deselected(items=[item for item in items if marked(item, mark)])
        items[:] = [item for item in items if not marked(item, mark)]


def marked(item, name):
    return item.get_closest_marker(name) is not None


def pytest_terminal_summary(terminalreporter):
    for why in LACKING.values():
        terminalreporter.line(f"tests were left out: {why}")


def load(root, name):
    """A module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, root / "tests" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
