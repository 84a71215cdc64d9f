"""Every benchmark runs, at its smallest, and writes the rows that it prints."""

import json
import subprocess
import sys

import pytest

SMALLEST = {
    "baselines": ["--pairs", "300"],
    "batches": ["--sentences", "8"],
    "data": ["--pairs", "8000", "--repeats", "1"],
    "decoding": ["--sentences", "8", "--repeats", "1"],
    "dropout": [],
    "search": ["--sentences", "8", "--repeats", "1", "--workers", "2", "--alone", "--beams", "5"],
    "step": ["--models", "gru", "--precisions", "fp32", "--workers", "1", "--steps", "1"],
}


def test_these_are_the_benchmarks(root):
    scripts = {path.stem for path in (root / "benchmarks").glob("*.py")} - {"rows"}
    assert scripts == SMALLEST.keys()
    listed = (root / "benchmarks/README.md").read_text()
    assert all(f"`python benchmarks/{name}.py`" in listed for name in SMALLEST)


@pytest.mark.parametrize("name", SMALLEST)
def test_a_benchmark_prints_a_table_and_writes_its_rows(name, root, tmp_path):
    command = [
        sys.executable,
        f"benchmarks/{name}.py",
        *SMALLEST[name],
        "--json",
        tmp_path / "rows",
    ]
    printed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    rows = json.loads((tmp_path / "rows").read_text())
    assert len(printed.splitlines()) > len(rows) > 0
    assert all(row.keys() == rows[0].keys() for row in rows)
