"""Faults of the real kind: a signal while a step waits or a validation works, a disk that is full.

What is asked to stop by SIGTERM is a process of its own that trains the tiny model.
"""

import contextlib
import resource
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from pipeline.problems import Problem
from pipeline.training.checkpoint import every, load
from pipeline.training.progress import read

pytestmark = pytest.mark.system

RUN = """
import signal, sys, threading, time
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, "tests")
import engine
import pipeline.training.fit as fitting
import pipeline.training.loop as loop
from pipeline.training.fit import fit
fitting.SECONDS_PER_LOOK = 0.05
folder, blocked = Path(sys.argv[1]), sys.argv[2]
wishes, stuck = [], threading.Event()
signal.signal(signal.SIGTERM, lambda *_: wishes.append(time.monotonic()))
examples, model = engine.open_examples(folder / "examples"), engine.tiny_model()
original = loop.deal

def wait(seconds=60):
    (folder / "waits").touch()
    for _ in range(int(seconds * 50)):
        stuck.wait(0.02)  # a signal is heard in between

def deal(*arguments, **others):
    if blocked == "data" and len(seen) == 3:
        wait()
    seen.append(1)
    return original(*arguments, **others)

def losses(batch, chance):
    if blocked == "compiling" and chance and chance.step == 4:
        wait()
    return own(batch, chance)

def validate(model):
    from pipeline.training.validation import StoppedError
    if blocked == "validation":
        (folder / "waits").touch()
        while not wishes:
            time.sleep(0.01)
        raise StoppedError
    return {"loss": 1.0}

seen, own = [], model.losses
loop.deal, model.losses = deal, losses
place = replace(
    engine.place(folder / "run", slot_cost=10**6),
    stop=lambda: bool(wishes),
    overdue=lambda: bool(wishes) and time.monotonic() - wishes[0] > 0.1,
)
settings = engine.training(validate_every_steps=3)
print(fit(model, examples, settings, place, validate=validate).state.step)
"""


@pytest.fixture
def start(engine, root, tmp_path):
    """Start a training in which something waits; at the end it is killed, as after the grace."""
    engine.write_examples(tmp_path / "examples")
    started = []

    def run(blocked):
        command = [sys.executable, "-c", RUN, str(tmp_path), blocked]
        started.append(subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True))
        return started[-1]

    yield run
    for process in started:
        process.kill()
        process.communicate()


def until(true):
    end = time.monotonic() + 240
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@pytest.mark.parametrize("blocked", ["data", "compiling"])
def test_a_step_that_waits_keeps_no_checkpoint_from_being_written(start, tmp_path, blocked):
    """The state after the last whole step is kept, though that step does not end in time."""
    process, checkpoints = start(blocked), tmp_path / "run" / "checkpoints"
    until((tmp_path / "waits").exists)
    until(lambda: [path.name for path in every(checkpoints)] == ["00000000"])
    process.send_signal(signal.SIGTERM)
    until(lambda: [path.name for path in every(checkpoints)] == ["00000003", "00000000"])
    assert process.poll() is None
    process.kill()
    found = load(every(checkpoints)[0])
    assert (found.state.step, found.planned) == (3, False)
    assert int(found.optimizer["count"]) == 3


def test_a_validation_is_cut_short_and_the_step_before_it_is_kept(start, tmp_path):
    process = start("validation")
    until((tmp_path / "waits").exists)
    process.send_signal(signal.SIGTERM)
    printed, _ = process.communicate(timeout=240)
    assert (process.returncode, printed.split()) == (0, ["3"])
    assert every(tmp_path / "run" / "checkpoints")[0].name == "00000003"
    assert [r.note for r in read(tmp_path / "run") if r.note] == ["started", "stopped"]


class Mounted:
    """A real file system with room for a few checkpoints, which something else fills."""

    def __init__(self, folder):
        self.folder, self.filler = folder, folder / "filler"

    def fill(self):
        with contextlib.suppress(OSError), self.filler.open("wb", buffering=0) as file:
            while True:
                file.write(bytes(512))

    def empty(self):
        self.filler.unlink()


class Limited:
    """Where nobody may mount: files may not grow beyond a few bytes."""

    def __init__(self, folder):
        self.folder, self.limits = folder, resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, self.limits[1]))

    def empty(self):
        resource.setrlimit(resource.RLIMIT_FSIZE, self.limits)


@pytest.fixture
def disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True).returncode:
        limited = Limited(folder)
        yield limited
        limited.empty()
    else:
        yield Mounted(folder)
        subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_ends_a_run_with_a_problem_and_it_goes_on_when_there_is_room(
    engine, tmp_path, disk
):
    examples = engine.write_examples(tmp_path / "examples")
    whole = engine.run(tmp_path / "whole", examples, engine.training())
    run = partial(engine.run, disk.folder, examples, engine.training(), fresh=False)
    run(stop_at=6)
    disk.fill()
    with pytest.raises(Problem, match="cannot write") as caught:
        run()
    assert "free space" in caught.value.remedy
    assert load(every(disk.folder / "checkpoints")[0]).state.step == 6
    disk.empty()
    model, outcome = run()
    assert outcome == whole[1]
    assert engine.largest_difference(engine.weights(model), engine.weights(whole[0])) == 0
