"""`seqline` and `dvc` again and again: a line of JSON in, a line of JSON out.

    {"command": ["seqline", "status"], "folder": "…", "environment": {…}, "input": "…",
     "printed": "FILE"}
    {"code": 0}

The libraries that the programs load, for up to two seconds of each, are loaded once; each command
is a fork of this process, which then does all that the program does, up to the end of its
interpreter.
"""

import gc
import json
import os
import signal
import sys
import tempfile

# Loaded before the forks: others' libraries, and nothing of ours.
import dvc.cli.parser
import dvc.repo
import dvc.stage
import mlflow
import mlflow.store.tracking.sqlalchemy_store
import networkx
import pandas
import pyarrow.compute
import pydantic
import rich.table
import sacrebleu
import safetensors.torch
import sentencepiece
import typer
import yaml

SECONDS = 900  # after which a command that hangs is ended
LOADED = (dvc, mlflow, networkx, pandas, pyarrow, pydantic, rich, sacrebleu, safetensors,
          sentencepiece, typer, yaml)  # fmt: skip


def serve():
    """Answer orders; in the fork of one, its order is returned."""
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            return order
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)
    sys.exit()


def become(order):
    """The process that a shell would have started for this order."""
    signal.alarm(SECONDS)
    printed = os.open(order["printed"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.close(printed)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    with tempfile.TemporaryFile() as given:
        given.write(order["input"].encode())
        given.seek(0)
        os.dup2(given.fileno(), 0)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (as long as the process)
    sys.argv = order["command"]


if __name__ == "__main__":
    become(serve())
    if sys.argv[0] == "dvc":
        from dvc.cli import main
    else:
        from flows.cli import main
    sys.exit(main())
