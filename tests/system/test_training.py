"""Training as a user runs it: with Ray, and with workers, drivers and people that stop it.

One undisturbed run is compared, byte for byte, with one whose driver is killed, that loses a
worker, is interrupted, and is started again each time. Starting Ray is slow: so it is one story.
Meanwhile an elastic team grows and shrinks: Ray waits much longer for it than it works.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

import pipeline.stages.encode as encode
import pipeline.stages.pieces as pieces
from pipeline.machine import Machine
from pipeline.records import SPLITS, Row
from pipeline.rows import RowWriter, row_batch
from pipeline.settings import load

pytestmark = pytest.mark.system

PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 32, "dropout": 0.2}
PARAMS = {
    "normaliser": {"form": "NFC"},
    "task": {"kind": "translation"},
    "pieces": {"kind": "unigram", "vocabulary": 32, "byte_fallback": False},
    "encoding": {"block_rows": 8, "shard_rows": 64},
    "model": {
        "width": 16,
        "front": {"kind": "ids"},
        "encoder": PART,
        "decoder": PART,
        "generator": {"kind": "softmax"},
        "embeddings": "tied",
    },
    "training": {
        "steps": 260,
        "tokens_per_step": 200,
        "precision": "bf16",
        "schedule": {"kind": "cosine", "peak_rate": 0.01, "warmup_steps": 20},
        "optimizer": {"kind": "adamw"},
        "validate_every_steps": 65,
        "checkpoint_every_steps": 40,
        "average_best": 2,
    },
}
MACHINE = {"workers": 2, "device": "cpu", "checkpoint_seconds": 0.5, "decode_batch": 16}
WORDS = ["ein", "zwei", "drei", "vier", "rot", "blau", "hund", "katze", "haus", "baum", "sieht"]


def workspace(folder):
    """A folder in which `python -m pipeline train` has all that it needs."""
    random = np.random.default_rng(1)
    for split, count in zip(SPLITS, (150, 20, 5), strict=True):
        rows = [a_row(f"{split}:{i}", split, random) for i in range(count)]
        place = "clean/train" if split == "train" else f"rows/{split}"
        with RowWriter(folder / "artifacts" / place) as writer:
            writer.write(row_batch(rows))
    (folder / "data/none").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS))
    (folder / "machine.yaml").write_text(yaml.safe_dump(MACHINE))
    (folder / "dvc.yaml").write_text(yaml.safe_dump({"stages": {"train": {"cmd": "none"}}}))
    artifacts = folder / "artifacts"
    for stage in (pieces, encode):
        settings = load(stage.Settings, folder / "params.yaml")
        stage.run(settings, Machine(data_processes=1), artifacts, artifacts)
    return folder


def a_row(name, split, random):
    words = random.choice(WORDS, random.integers(2, 7)).tolist()
    source, target = " ".join(words), " ".join(reversed(words))
    return Row(name, "tests", split, name, source, target, (target,), "de", "en")


@pytest.fixture
def start():
    """Start the stage in a folder; at the end nothing that was started is left."""
    started = []

    def stage(folder):
        command = [sys.executable, "-m", "pipeline", "train"]
        with (folder / "printed").open("a") as printed:
            run = subprocess.Popen(
                command, cwd=folder, stdout=printed, stderr=subprocess.STDOUT,
                start_new_session=True,
            )  # fmt: skip
        started.append(run)
        return run

    yield stage
    for run in started:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()


def finish(run, folder):
    assert run.wait(timeout=300) == 0, (folder / "printed").read_text()


def records(folder):
    (path,) = (folder / "state").glob("*/progress.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def until(true, seconds=300):
    """Wait for something that a run does."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def reached(folder, step, *, since=0):
    """Has the run told of `step`, or a later one, after its first `since` records?"""

    def told():
        if not list((folder / "state").glob("*/progress.jsonl")):
            return False
        return any(r["kind"] == "train" and r["step"] >= step for r in records(folder)[since:])

    return told


def resumed(folder, *, since):
    """Has the run told, after its first `since` records, that it went on?"""
    return lambda: any(r["note"] == "resumed" for r in records(folder)[since:])


def descendants(pid):
    """Numbers and titles of the living processes below `pid`."""
    parents, titles = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            titles[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(path.name)] = int(fields[1])
    found = {pid}
    while True:
        more = {child for child, parent in parents.items() if parent in found} - found
        if not more:
            return {number: titles[number] for number in found - {pid}}
        found |= more


def workers_of(run):
    return {n for n, title in descendants(run.pid).items() if "RayTrainWorker" in title}


def priority(pid):
    return os.getpriority(os.PRIO_PROCESS, pid)


def outs(folder):
    paths = [*sorted((folder / "artifacts/model").iterdir()), folder / "artifacts/curves.csv"]
    return {path.name: path.read_bytes() for path in paths}


WORKER = """
import sys
from pathlib import Path
import torch.distributed as dist
from pipeline.machine import read_machine
from pipeline.seats import Seat
from pipeline.settings import load
from pipeline.job import work
from pipeline.stages import train
from pipeline.training import finished
rank = int(sys.argv[1])
meeting = f"file://{Path('meeting').resolve()}"
dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=2)
job, _ = train.job_of(load(train.Settings, Path("params.yaml")), read_machine(), Path("artifacts"))
work(Seat(rank, 2, "cpu"), job)
if rank == 0:
    finished.hand_out(job.folder, Path("artifacts"))
dist.destroy_process_group()
assert "torch._dynamo" not in sys.modules, "whose import takes as long as all the rest of a start"
"""


def undisturbed(folder):
    """The outs of two workers whom nothing stops, and who know nothing of Ray."""
    team = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank)], cwd=folder) for rank in (0, 1)
    ]
    try:
        assert [worker.wait(timeout=300) for worker in team] == [0, 0]
    finally:
        for worker in team:
            worker.kill()
            worker.wait()
    return outs(folder)


@pytest.fixture(scope="module")
def growing(engine, root, tmp_path_factory):
    """tests/elastic.py at work in a folder: the folder, and the program."""
    folder = tmp_path_factory.mktemp("elastic")
    engine.write_examples(folder / "examples")
    command = [sys.executable, str(root / "tests/elastic.py"), str(folder)]
    with (folder / "printed").open("w") as printed:
        run = subprocess.Popen(command, stdout=printed, stderr=subprocess.STDOUT)
    yield folder, run
    try:
        if run.poll() is None:
            run.send_signal(signal.SIGINT)  # so that it ends Ray
        run.wait(timeout=120)
    finally:
        run.kill()
        run.wait()


@pytest.mark.usefixtures("growing")
def test_whatever_stops_it_the_same_command_ends_at_the_same_bits(tmp_path, start, alive):
    expected = undisturbed(workspace(tmp_path / "a"))
    assert sorted(expected) == ["curves.csv", "model.json", "run.json", "weights.safetensors"]
    folder = workspace(tmp_path / "b")

    # The driver is killed: no process is left (looked at in the end: Ray's agents take a minute).
    run = start(folder)
    until(reached(folder, 40))
    orphans, team = descendants(run.pid), workers_of(run)
    assert len(team) == 2
    assert run.pid not in team
    assert {priority(worker) for worker in team} == {priority(run.pid)}
    run.kill()
    killed = time.monotonic()
    run.wait()

    # A worker is killed: Ray Train starts a new team, which goes on.
    told = len(records(folder))
    run = start(folder)
    until(resumed(folder, since=told))  # the killed one's workers may tell of steps until then
    until(reached(folder, 80, since=told))
    os.kill(min(workers_of(run)), signal.SIGKILL)
    told = len(records(folder))
    until(resumed(folder, since=told))

    # Ctrl-C: it keeps what it has, and leaves no process.
    until(reached(folder, 120, since=told))
    below = descendants(run.pid)
    assert workers_of(run)
    os.killpg(run.pid, signal.SIGINT)
    assert run.wait(timeout=120) == 130, (folder / "printed").read_text()
    until(lambda: not any(map(alive, below)), seconds=30)
    assert records(folder)[-1]["note"] == "stopped"

    finish(start(folder), folder)
    assert outs(folder) == expected
    assert [r["note"] for r in records(folder)].count("resumed") == 3

    # A finished key is handed out again, without Ray.
    begun = time.monotonic()
    finish(start(folder), folder)
    assert time.monotonic() - begun < 30
    assert outs(folder) == expected
    assert "is finished: its result is used" in (folder / "printed").read_text()
    until(lambda: not any(map(alive, orphans)), seconds=120 - (time.monotonic() - killed))


def test_a_team_that_grows_and_shrinks_takes_the_same_pairs_in_each_step(growing, engine, elastic):
    """However many workers it has, the order of the data stays what it is."""
    folder, run = growing
    assert run.wait(timeout=600) == 0, (folder / "printed").read_text()

    expected, model = {}, engine.tiny_model(precision="fp32")
    original = model.losses

    def losses(batch, chance):
        if chance is not None:
            expected.setdefault(chance.step, set()).update(elastic.pairs_of(batch))
        return original(batch, chance)

    model.losses = losses
    examples = engine.open_examples(folder / "examples")
    engine.run(folder / "alone", examples, elastic.settings(), model=model)
    seen = {}
    for path in folder.glob("seen-*"):
        for step, pairs in elastic.lines(path):
            seen.setdefault(step, set()).update(pairs)
    assert seen == expected
    assert {path.name.split("-")[1] for path in folder.glob("seen-*")} == {"0", "1"}
    assert (folder / "weights" / "weights.safetensors").exists()
