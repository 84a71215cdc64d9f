"""A team that grows from one worker to two and shrinks again, on Ray nodes that come and go.

As a script: `python tests/elastic.py FOLDER` trains the model of tests/engine.py on the examples of
`FOLDER/examples`. Every worker notes in `FOLDER/seen-RANK-PROCESS` the pairs of its steps. At step
GROWN training waits for a second worker, at step SHRUNK for the loss of its node.
"""

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import engine
import torch

from pipeline.batches.collate import open_examples
from pipeline.cluster import train_workers
from pipeline.seats import Crew
from pipeline.training.checkpoint import save_weights
from pipeline.training.fit import fit
from pipeline.training.lease import this_process
from pipeline.training.run import Place
from pipeline.training.team import Team

STEPS, GROWN, SHRUNK = 24, 8, 16
PATIENCE = 600.0  # seconds for anything that a run does
# The health of a lost node is doubted in seconds: by Ray's own settings it takes far longer.
NOTICED = {
    "health_check_initial_delay_ms": 1000,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 3000,
    "health_check_failure_threshold": 3,
}


def settings():
    return engine.training(steps=STEPS, validate_every_steps=12, checkpoint_every_steps=4)


def work(seat, argument):
    """What a worker does."""
    torch.set_num_threads(1)
    folder, owner = Path(argument[0]), argument[1]
    examples, model = open_examples(folder / "examples"), engine.tiny_model(precision="fp32")
    original = model.losses

    def losses(batch, chance):
        if chance is not None:
            wait_at(chance.step, seat, folder)
            note(folder / f"seen-{seat.rank}-{os.getpid()}", chance.step, batch)
        return original(batch, chance)

    model.losses = losses
    fit(
        model,
        examples,
        settings(),
        Place(folder / "state", owner, 40, 0.1, bool),
        validate=engine.Loss(examples),
        keep=lambda outcome: save_weights(folder / "weights", engine.weights(model)),
        team=Team(seat.rank, seat.workers),
    )


def wait_at(step, seat, folder):
    """For what is to happen first: then this team is started again, or goes on."""
    if step == GROWN and seat.workers == 1:
        until(lambda: (folder / "gone").exists())
    if step == SHRUNK and seat.workers == 2:
        until(bool)


def note(path, step, batch):
    with path.open("a") as file:
        file.write(json.dumps([step, pairs_of(batch)]) + "\n")


def pairs_of(batch):
    """Index, source and target of each, as text."""
    sides = [side.values.split(side.lengths) for side in (batch.source, batch.target)]
    rows = zip(batch.index.tolist(), *sides, strict=True)
    return [f"{index}: {source.tolist()} {target.tolist()}" for index, source, target in rows]


def until(true):
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.1)


def change(folder):
    """A cluster of one node, to which another comes, and goes, while a driver trains on it."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "_system_config": NOTICED}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    driver = subprocess.Popen([sys.executable, __file__, str(folder), cluster.address])
    try:
        until(lambda: told(folder, GROWN - 1) or driver.poll() is not None)
        node = cluster.add_node(num_cpus=1)
        until(lambda: told(folder, SHRUNK - 1) or driver.poll() is not None)
        cluster.remove_node(node, allow_graceful=False)
        (folder / "gone").touch()
        return driver.wait(PATIENCE)
    finally:
        driver.kill()
        driver.wait()
        cluster.shutdown()


def drive(folder, address):
    """Train on a cluster."""
    crew = Crew(2, "cpu", 1, restarts=5, address=address, least=1, resize_seconds=1.0)
    train_workers(work, (str(folder), this_process()), crew)


def told(folder, step):
    """Has a worker begun this step, and the whole team with it?"""
    return any(line[0] >= step for path in folder.glob("seen-*") for line in lines(path))


def lines(path):
    """What a worker noted, but a line that a kill cut short."""
    for line in path.read_text().splitlines():
        with contextlib.suppress(ValueError):
            yield json.loads(line)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        drive(Path(sys.argv[1]), sys.argv[2])
    else:
        raise SystemExit(change(Path(sys.argv[1])))
