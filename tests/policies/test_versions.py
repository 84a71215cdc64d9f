"""requirements.lock, versions.yaml and what is installed say the same."""

import importlib.metadata
import importlib.util
import re
import tomllib

import pytest
import yaml


@pytest.fixture(scope="module")
def lock(root):
    """infra/lock.py as a module."""
    spec = importlib.util.spec_from_file_location("lock", root / "infra/lock.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pins(lock, root):
    return lock.locked((root / "requirements.lock").read_text())


def test_versions_yaml_is_what_the_lock_says(lock, root):
    text = (root / "requirements.lock").read_text()
    assert (root / "versions.yaml").read_text() == lock.versions_text(text)


def test_what_is_installed_is_what_the_lock_says(pins):
    installed = {name: importlib.metadata.version(name).split("+")[0] for name in pins}
    assert installed == pins


# What no module imports: programs, plug-ins, and what others need without saying so.
NOT_IMPORTED = {
    "moto",
    "dvc-s3",
    "import-linter",
    "pyright",
    "pytest-xdist",
    "ruff",
    "setuptools",
    "uv",
}
PINNED_FOR_OTHERS = {"fastapi"}


def test_every_library_that_is_wanted_is_imported(root):
    wanted = set(re.findall(r"(?m)^[A-Za-z0-9_-]+", (root / "requirements.in").read_text()))
    sources = [*(root / "pipeline").rglob("*.py"), *(root / "flows").rglob("*.py")]
    sources += [*(root / "tests").rglob("*.py")]
    text = "\n".join(path.read_text() for path in sources)
    imported = set(re.findall(r"(?m)^ *(?:import|from) ([a-z0-9_]+)", text))
    known = {name for name in wanted if name == "pyyaml" or name in imported}
    assert wanted - known == NOT_IMPORTED | PINNED_FOR_OTHERS


def test_every_library_that_the_project_names_is_locked(pins, root):
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = (root / "requirements.in").read_text()
    names = set(re.findall(r"(?m)^[A-Za-z0-9_-]+", wanted))
    assert {re.split(r"[\[<>=]", name)[0] for name in project["dependencies"]} <= names
    assert names <= set(pins)


def test_the_lock_leaves_cuda_and_local_suffixes_to_torch(lock, pins):
    assert [n for n in pins if re.match(r"cuda|nvidia|triton", n)] == []
    assert [v for v in pins.values() if "+" in v] == []
    text = "torch==2.13.0+cpu\n    # via x\ntriton==3\n    # via torch\n    #   y\nzipp==4\n"
    assert lock.portable(text) == "torch==2.13.0\n    # via x\nzipp==4\n"


def test_libraries_are_known_by_the_name_that_is_imported(root):
    for name in yaml.safe_load((root / "versions.yaml").read_text()):
        assert importlib.util.find_spec(name) is not None, name
