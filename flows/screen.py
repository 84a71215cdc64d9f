"""The screen: training's bar in the flow's terminal, since a stage writes into a pipe."""

import os
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from pipeline.display import SCREEN, SECONDS_PER_LOOK, bar
from pipeline.files import read_json


@contextmanager
def screen(state: Path) -> Generator[None, None, None]:
    """While the block runs, show the training that a stage begins; nothing without a terminal."""
    if not sys.stdout.isatty():
        yield
        return
    asked = state / "flow" / "screen.json"
    asked.unlink(missing_ok=True)
    os.environ[SCREEN] = str(asked)
    stop = threading.Event()
    thread = threading.Thread(target=_show, args=(asked, stop), name="screen", daemon=True)
    thread.start()
    try:
        yield
    finally:
        del os.environ[SCREEN]
        stop.set()
        thread.join()


def _show(asked: Path, stop: threading.Event) -> None:
    while not asked.is_file():
        if stop.wait(SECONDS_PER_LOOK):
            return
    told = read_json(asked)
    with bar(Path(told["path"]), told["steps"], told["start"]):
        stop.wait()
