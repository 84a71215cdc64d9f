"""Try tests with and without a mutant: a line of JSON in, a line of JSON out.

    {"test": "tests/laws/test_padding.py::test_x", "mutant": "tests/mutants/y.py" or null}
    {"outcomes": [["call", "failed", "AssertionError"]], "text": "what pytest printed"}

The libraries are loaded once; each trial is a fork of this process, so that no mutant outlives it.
"""

import importlib.util
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

import numpy  # noqa: F401  loaded before the forks, to be loaded once
import pyarrow  # noqa: F401
import pytest
import torch

SECONDS = 60  # a mutant may make a loop endless


class Outcomes:
    """A pytest plugin that notes how each phase of each test ended."""

    def __init__(self):
        self.seen = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item, call):
        report = (yield).get_result()
        kind = call.excinfo.type.__name__ if call.excinfo else ""
        if report.when == "call" or report.outcome != "passed":
            self.seen.append([report.when, report.outcome, kind])


def main():
    torch.set_num_threads(1)
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(trial(order["test"], order["mutant"])), flush=True)


def trial(test, mutant):
    """Fork, install the mutant, run the test, and read what the child wrote."""
    with tempfile.TemporaryDirectory() as folder:
        result, printed = Path(folder) / "result.json", Path(folder) / "printed.txt"
        child = os.fork()
        if child == 0:
            in_child(test, mutant, result, printed)
        _, status = os.waitpid(child, 0)
        text = printed.read_text(errors="replace")
        outcomes = (
            json.loads(result.read_text()) if result.exists() else [["exit", str(status), ""]]
        )
    return {"outcomes": outcomes, "text": text[-4000:]}


def in_child(test, mutant, result, printed):
    """Never returns: the parent's clean-up is not the child's."""
    signal.alarm(SECONDS)
    try:
        handle = os.open(printed, os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        outcomes = Outcomes()
        with pytest.MonkeyPatch.context() as monkeypatch:
            if mutant:
                install(Path(mutant), monkeypatch)
            # A mutant imports what it changes, and jaxtyping with it, before pytest starts.
            quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
            pytest.main([test, "-q", "-p", "no:cacheprovider", *quiet], plugins=[outcomes])
        result.write_text(json.dumps(outcomes.seen))
    finally:
        sys.stdout.flush()
        os._exit(0)


def install(path, monkeypatch):
    """Load a mutant's file and let it change the code under test."""
    spec = importlib.util.spec_from_file_location(f"mutant_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.mutate(monkeypatch)


if __name__ == "__main__":
    main()
