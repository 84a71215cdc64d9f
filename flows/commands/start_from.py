"""`seqline start-from VERSION`: copy a version's package to data/start, and train from it."""

import shutil
from pathlib import Path

from flows.edits import add
from flows.inputs import check_sections
from flows.opened import locked
from flows.params import set_value
from flows.release import outside
from flows.talk import say
from pipeline.files import write_text
from pipeline.problems import Problem
from pipeline.registry.versions import at, download, version

START = Path("data/start")
PARAMS = Path("params.yaml")


def start_from(name: str) -> None:
    """`name`: a number, or an alias. The copy is put under DVC and becomes training.start."""
    with locked(f"seqline start-from {name}") as machine:
        check_sections()
        server = outside(machine).server
        chosen = at(server, name) if name in ("champion", "challenger") else version(server, name)
        if chosen is None:
            raise Problem(f"there is no {name}", where=f"registry of {server.model}")
        package = download(server, chosen)
        fresh = START.with_name(".start.tmp")
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(package, fresh)
        shutil.rmtree(START, ignore_errors=True)
        fresh.rename(START)
        add(START)
        text = PARAMS.read_text(encoding="utf-8")
        write_text(PARAMS, set_value(text, "training.start", str(START)))
        say(f"{START} holds version {chosen.number} (dvc add): commit {START}.dvc")
        say(f"params.yaml: training.start: {START}; next: seqline run")
