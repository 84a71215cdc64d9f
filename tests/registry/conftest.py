"""Fixtures of the registry: a server on a fresh SQLite file, and tiny outs with a package."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.files import digest, write_json, write_manifest, write_text
from pipeline.machine import Machine
from pipeline.outputs import Output, write_outputs
from pipeline.records import Hypothesis, Ledger
from pipeline.registry.server import Registry, Server, connect

# What stands in for the modules of a real package: it knows the answer to every sentence.
PREDICTOR = """
from pathlib import Path

class Hypothesis:
    score, log_probability, pieces = -0.5, -2.0, 5
    def __init__(self, text):
        self.text = text

class Predictor:
    @classmethod
    def read(cls, folder):
        return cls()
    def predict(self, texts, *, n_best=None, beam_size=None, batch_sentences=64):
        return [(Hypothesis(f"Sentence {text.split()[1]} of many"),) for text in texts]
"""

SOURCES = [f"Satz {number} von vielen" for number in range(40)]


@pytest.fixture
def machine(tmp_path: Path, empty_database: Path) -> Machine:
    (tmp_path / "registry").mkdir()
    shutil.copy(empty_database, tmp_path / "registry" / "mlflow.db")
    uri = f"sqlite:///{tmp_path}/registry/mlflow.db"
    return Machine(mlflow_uri=uri, state=tmp_path / "state")


@pytest.fixture
def server(machine: Machine) -> Server:
    return connect(Registry(model="tiny"), machine)


@pytest.fixture
def make_outs(tmp_path: Path) -> Callable[..., Path]:
    return lambda name, **options: _outs(tmp_path / name, name, **options)


def _outs(
    folder: Path,
    name: str,
    *,
    right: int = 40,
    sources: list[str] = SOURCES,
    run_key: str = "",
    dropped: int = 10,
) -> Path:
    """Outs as stages leave them; the first `right` hypotheses equal their references."""
    write_text(folder / "package" / "MLmodel", f"model {name}\n")
    write_manifest(folder / "package", package_digest=digest(name))
    write_json(folder / "model" / "run.json", {"run_key": run_key or f"key-{name}"})
    rows = [_output(number, source, number < right) for number, source in enumerate(sources)]
    write_outputs(folder / "hypotheses" / "test.jsonl", rows)
    write_json(folder / "metrics.json", {"test": {"exact_match": right / len(sources)}})
    ledger = Ledger("clean", "train", 100, 100 - dropped, {"too_long": dropped})
    write_json(folder / "ledgers" / "clean.json", {"ledgers": [ledger]})
    write_json(folder / "scores" / "scores.json", {"length_bounds": [10]})
    return folder


def _output(number: int, source: str, right: bool) -> Output:
    text = f"Sentence {source.split()[1]} of many" if right else "Something else"
    return Output(
        id=f"test:{number}",
        corpus="test",
        group=f"test:{number}",
        source=source,
        references=(f"Sentence {source.split()[1]} of many",),
        source_language="de",
        target_language="en",
        hypotheses=(Hypothesis(text, -0.5, -2.0, 5),),
    )


@pytest.fixture
def give_code() -> Callable[[Path, str], None]:
    """Let a tiny package predict."""

    def give(outs: Path, name: str) -> None:
        shutil.rmtree(outs / "package")
        code = outs / "package" / "code" / name
        for module in ("__init__", "package/__init__", "problems"):
            write_text(code / f"{module}.py", "")
        write_text(code / "package" / "predictor.py", PREDICTOR)
        write_manifest(outs / "package", package_digest=digest(name), modules=name)

    return give
