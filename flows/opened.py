"""Open the workspace for a command: change into its folder, read machine.yaml, take its lock."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from flows.talk import warn
from flows.walk import Place, heal
from pipeline.machine import Machine, read_machine
from pipeline.workspace import hold, root


def opened() -> Machine:
    """Change into the workspace around the current folder; its machine.yaml. Takes no lock."""
    os.chdir(root())
    return read_machine()


@contextmanager
def locked(command: str) -> Generator[Machine, None, None]:
    """The workspace, locked, with what a killed run left behind brought back first."""
    machine = opened()
    with hold(machine.folder, command):
        heal(Place(Path.cwd(), machine.folder), warn)
        yield machine
