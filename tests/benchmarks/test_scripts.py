"""Every benchmark runs, at its smallest, and writes the rows that it prints."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

RECIPE = ["--recipe", "tests/benchmarks/small.yaml"]
TINY = [*RECIPE, "--steps", "2", "--short", "1", "--rates", "0.02", "0.000001"]
ONE_STEP = ["--pairs", "1000", "--tokens", "200", "--workers", "1", "--steps", "1"]
SMALLEST = {
    "architectures": [*TINY, "--members", "GRU, additive attention"],
    "baselines": ["--pairs", "300"],
    "batches": ["--sentences", "8"],
    "batching": ["--examples", "3000", "--tokens", "400", "--steps", "3", "--step", "50",
                 "--planned", "300000", "--windows", "1"],
    "data": ["--pairs", "8000", "--repeats", "1"],
    "decoding": ["--sentences", "2", "--repeats", "1"],
    "dropout": ["--repeats", "1"],
    "gpu": ["--tokens", "200", "--steps", "2", "--warm-up", "1", "--vocabulary", "300"],
    "kill_anywhere": ["--plain", "--runs", "6", "--kills", "1"],
    "lessons": [*TINY, "--lessons", "R-Drop, weight 5"],
    "reduction": ["--pairs", "1000", "--tokens", "200", "--workers", "2", "--rounds", "1"],
    "search": ["--sentences", "8", "--repeats", "1", "--workers", "2", "--alone", "--beams", "5",
               "--batches", "1", "64"],
    "step": [*ONE_STEP, "--models", "gru", "--precisions", "fp32"],
    "training": [*RECIPE, "--systems", "ours", "--precisions", "fp32", "--rounds", "1", "--threads",
                 "1", "--tokens", "200", "--steps", "1", "--warm-up", "1"],
}  # fmt: skip
OF_ROOT = {"two_nodes"}  # which needs network namespaces, and minutes
SHARED = {  # beside the benchmarks, for several of them
    "memory",
    "plots",
    "runs",
    "tables",
    "victim",
    "worker",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Where the benchmarks that train keep their runs."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def call(root, runs, monkeypatch, capfd):
    """Run a benchmark at its smallest, as the script it is; what it printed.

    In this process: an interpreter that loads torch for each would take longer than all of them.
    """
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root / "benchmarks"))
    loaded = set(sys.modules)

    def run(name, *arguments):
        command = [f"benchmarks/{name}.py", *SMALLEST[name], *map(str, arguments)]
        command += ["--folder", str(runs)] if "--recipe" in command else []
        monkeypatch.setattr(sys, "argv", command)
        try:
            runpy.run_path(command[0], run_name="__main__")
        except SystemExit as end:
            assert not end.code
        return capfd.readouterr().out

    yield run
    for name in set(sys.modules) - loaded:
        if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(
            root / "benchmarks"
        ):
            del sys.modules[name]


def test_these_are_the_benchmarks(root):
    modules = {path.stem for path in (root / "benchmarks").glob("*.py")}
    assert modules - SHARED - OF_ROOT == SMALLEST.keys()
    listed = (root / "benchmarks/README.md").read_text()
    assert all(f"`python benchmarks/{name}.py`" in listed for name in {*SMALLEST, *OF_ROOT})


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_prints_a_table_and_writes_its_rows(name, call, tmp_path):
    printed = call(name, "--json", tmp_path / "rows")
    rows = json.loads((tmp_path / "rows").read_text())
    assert len(printed.splitlines()) > len(rows) > 0
    assert all(row.keys() == rows[0].keys() for row in rows)


def test_a_benchmark_is_a_command(root, call):
    command = [sys.executable, "benchmarks/baselines.py", *SMALLEST["baselines"]]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == call("baselines")


def test_a_member_is_trained_with_its_best_rate_and_a_second_call_only_prints(call, runs):
    first = call("architectures")
    params = yaml.safe_load((runs / "GRU-additive-attention/params.yaml").read_text())
    assert params["training"]["schedule"]["peak_rate"] == 0.02
    short = json.loads((runs / "GRU-additive-attention-0.02/result.json").read_text())
    assert short.keys().isdisjoint({"bleu", "perplexity"}), "tuning never sees the test set"
    made = {path: path.stat().st_mtime_ns for path in sorted(runs.rglob("*"))}
    assert call("architectures") == first
    assert {path: path.stat().st_mtime_ns for path in sorted(runs.rglob("*"))} == made
