"""The bar in the flow's terminal, seen through a terminal of our own."""

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from flows.screen import screen
from pipeline.display import SCREEN

# A stage, as training: it says what it does, and appends to its progress file.
STAGE = """
import json, time
from pathlib import Path
from pipeline.display import showing
path = Path("progress.jsonl")
path.write_text('{"step": 1, "kind": "event", "values": {}, "note": "long ago", "time": 1}\\n')
print("a line of the stage", flush=True)
with showing(path, 10):
    for step in range(1, 11):
        values = {"loss": 4.0 - step / 4, "tokens_so_far": 50 * step}
        line = {"step": step, "kind": "train", "values": values, "note": "", "time": step / 2}
        with path.open("a") as file:
            file.write(json.dumps(line) + "\\n")
        time.sleep(0.2)
"""
FLOW = """
import sys
from pathlib import Path
from flows import child
from flows.screen import screen
from flows.talk import say
with screen(Path("state").resolve()):
    child.run(["python", "stage.py"], say)
say("the end")
"""


def shown(folder: Path) -> str:
    """What the flow writes into a terminal of 100 columns."""
    (folder / "stage.py").write_text(STAGE)
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "COLUMNS": "100",
        "TERM": "xterm",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    flow = subprocess.Popen(
        [sys.executable, "-c", FLOW], cwd=folder, stdout=theirs, stderr=theirs, env=environment
    )
    os.close(theirs)
    content = b""
    try:
        while chunk := _read(ours):
            content += chunk
        assert flow.wait(30) == 0, content.decode()
    finally:
        flow.kill()
        flow.wait()
        os.close(ours)
    return content.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""


def test_in_a_terminal_there_is_a_bar_and_no_line_a_step(tmp_path: Path) -> None:
    said = shown(tmp_path)
    assert re.search(r"training.*10/10.*loss 1\.500 +100 tokens/s +0:00 left", said)
    assert len(set(re.findall(r"(\d+)/10", said))) > 2  # it moved
    assert "a line of the stage" in said
    assert "step 1" not in said
    assert "long ago" not in said
    assert said.rstrip().endswith("the end")


def test_without_a_terminal_the_stage_writes_lines_itself(tmp_path: Path) -> None:
    with screen(tmp_path):
        assert SCREEN not in os.environ
