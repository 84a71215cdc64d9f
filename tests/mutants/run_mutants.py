"""Try tests with and without a mutant: a line of JSON in, a line of JSON out.

    {"tests": ["tests/laws/test_padding.py::test_x"], "mutant": "tests/mutants/y.py" or null}
    {"outcomes": [["tests/laws/test_padding.py::test_x", "call", "failed"]], "text": "…"}

The libraries are loaded once; each trial is a fork of this process, so that no mutant outlives it.
"""

import contextlib
import gc
import importlib.util
import io
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path

# Loaded before the forks, to be loaded once; nothing of ours, which a mutant may have to change.
import babel
import hypothesis.strategies
import jaxtyping
import num2words
import pandas  # what pyarrow looks for in its first conversion
import pyarrow.compute
import pyarrow.parquet
import pydantic
import pytest
import sacrebleu
import safetensors.torch
import sentencepiece
import torch._inductor.compile_fx  # what compiles
import xdist.plugin  # whose mark tests/conftest.py sets
import yaml

SECONDS = 30  # of computing: a mutant may make a loop endless
NEEDLESS = ("cacheprovider", "doctest", "faulthandler", "junitxml", "legacypath", "pastebin",
            "threadexception", "unittest", "unraisableexception")  # fmt: skip
# Tracebacks as Python prints them: pytest's own cost more than most of these tests.
OPTIONS = ["-q", "--tb=native", *(word for name in NEEDLESS for word in ("-p", f"no:{name}"))]
LOADED = (babel, hypothesis, jaxtyping, num2words, pandas, pyarrow, pydantic, sacrebleu,
          safetensors, sentencepiece, yaml)  # fmt: skip


class Outcomes:
    """A pytest plugin that notes how each phase of each test ended."""

    def __init__(self):
        self.seen = []

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item):
        report = (yield).get_result()
        if report.when == "call" or report.outcome != "passed":
            self.seen.append([item.nodeid, report.when, report.outcome])


def main():
    torch.set_num_threads(1)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(io.StringIO()):
        pytest.main([empty, *OPTIONS], plugins=[xdist.plugin])  # loads what pytest is made of
    gc.freeze()
    gc.disable()  # a trial is short
    for line in sys.stdin:
        order = json.loads(line)
        print(json.dumps(trial(order["tests"], order["mutant"])), flush=True)


def trial(tests, mutant):
    """Fork, install the mutant, run the tests, and read what the child wrote."""
    with tempfile.TemporaryDirectory() as folder:
        result, printed = Path(folder) / "result.json", Path(folder) / "printed.txt"
        child = os.fork()
        if child == 0:
            in_child(tests, mutant, result, printed)
        _, status = os.waitpid(child, 0)
        text = printed.read_text(errors="replace")
        outcomes = (
            json.loads(result.read_text()) if result.exists() else [["", "exit", str(status)]]
        )
    return {"outcomes": outcomes, "text": text[-4000:]}


def in_child(tests, mutant, result, printed):
    """Never returns: the parent's clean-up is not the child's."""
    signal.setitimer(signal.ITIMER_PROF, SECONDS * len(tests))
    signal.alarm(10 * SECONDS * len(tests))  # it may wait for ever, too
    try:
        handle = os.open(printed, os.O_WRONLY | os.O_CREAT)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        outcomes = Outcomes()
        with pytest.MonkeyPatch.context() as monkeypatch:
            if mutant:
                install(Path(mutant), monkeypatch)
            pytest.main([*tests, *OPTIONS], plugins=[outcomes, xdist.plugin])
        result.write_text(json.dumps(outcomes.seen))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def install(path, monkeypatch):
    """Load a mutant's file and let it change the code under test."""
    spec = importlib.util.spec_from_file_location(f"mutant_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.mutate(monkeypatch)


if __name__ == "__main__":
    main()
