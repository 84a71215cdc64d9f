import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAMS = Path(sys.executable).parent

DVC_YAML = """\
stages:
  one:
    cmd: python one.py
    params: [a, {versions.yaml: [torch]}]
    deps: [code, data/in, one.py]
    outs: [out/one]
    metrics: [out/one.json]
  two:
    cmd: python two.py
    params: [b]
    deps: [out/one, two.py]
    outs:
    - out/two.txt
"""
# The first writes its parameter and data, the second counts lines; each refuses when told to.
ONE = """\
import json, pathlib, sys, yaml
value = yaml.safe_load(open("params.yaml"))["a"]
folder = pathlib.Path("out/one")
folder.mkdir(parents=True)
(folder / "data.txt").write_text(pathlib.Path("data/in/text").read_text() * value["times"])
pathlib.Path("out/one.json").write_text(json.dumps(value))
print("one is done")
sys.exit(3 if value.get("fail") else 0)
"""
TWO = """\
import pathlib
lines = pathlib.Path("out/one/data.txt").read_text().splitlines()
pathlib.Path("out/two.txt").write_text(f"{len(lines)}\\n")
"""


def dvc(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        ["dvc", *arguments], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def toy_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two small stages that have run once."""
    tmp_path = tmp_path_factory.mktemp("toy")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "dvc.yaml").write_text(DVC_YAML)
    (tmp_path / "one.py").write_text(ONE)
    (tmp_path / "two.py").write_text(TWO)
    (tmp_path / "params.yaml").write_text("a: {times: 2}  # how often\nb: {unit: line}\n")
    (tmp_path / "versions.yaml").write_text("torch: 1.0\nrich: 2.0\n")
    for name, text in {"code/m.py": "x = 1\n", "data/in/text": "hello\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    dvc(tmp_path, "init", "-q")
    dvc(tmp_path, "add", "-q", "data/in")
    dvc(tmp_path, "repro", "-q")
    return tmp_path


@pytest.fixture
def toy(toy_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it to change; the current folder."""
    folder = tmp_path / "toy"
    shutil.copytree(toy_once, folder)
    monkeypatch.chdir(folder)
    return folder


# The registry's fixtures: a server on a fresh SQLite file, tiny outs with a package.
spec = importlib.util.spec_from_file_location(
    "registry_fixtures", Path(__file__).parents[1] / "registry" / "conftest.py"
)
assert spec is not None
assert spec.loader is not None
registry = importlib.util.module_from_spec(spec)
spec.loader.exec_module(registry)
machine, server = registry.machine, registry.server
make_outs, give_code = registry.make_outs, registry.give_code

WORKSPACE = """\
registry: {model: tiny}
gate: {metric: exact_match, margin: 0.1, slice_margin: 0.2, min_rows: 5, resamples: 200}
"""


@pytest.fixture
def workspace(
    tmp_path: Path, server: object, make_outs: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Path]:
    """Fill the artifacts of a workspace without stages, whose registry is `server`; its folder."""
    (tmp_path / "params.yaml").write_text(WORKSPACE)
    (tmp_path / "dvc.yaml").write_text("stages: {}\n")
    monkeypatch.chdir(tmp_path)

    def fill(name: str, **options: object) -> Path:
        shutil.rmtree("artifacts", ignore_errors=True)
        make_outs(name, **options).rename("artifacts")
        return tmp_path

    return fill
