"""Two nodes without a folder in common: one is cut off and killed, training goes on, and so on.

    python benchmarks/two_nodes.py [--steps 600] [--json FILE]

Two Ray nodes run on this machine, each in a network and a mount namespace of its own, with its own
folder, its own /dev/shm and its own Ray session; a bridge joins them. On it stands a server that
speaks S3 (moto), which is all that they share. The stage `train` is driven from the first node with
`workers: [1, 2]`. Then the second node's link goes down and all its processes are killed; training
goes on with the first alone; the node is started again, and training grows to both.

An undisturbed run of the same key in another prefix is what it is compared with: the order of the
data to the bit, weights and losses up to rounding. Prints what happened when; exit code 1 where
anything fails. Needs root, since namespaces do; without it, it says so and does nothing.
"""

import argparse
import contextlib
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from tables import Row, add_json, print_row, write_rows

from pipeline.tensors import read_tensors

BRIDGE, NET = "seqline0", "10.77.0"
PORT, S3_PORT = 6399, 9099
HERE = Path("/mnt")  # where a node sees its own folder
BUCKET = "runs"
PAUSE = 2.0  # seconds more for each step while something is waited for: the run has to last
PATIENCE = 3600.0  # seconds for anything that a run does, on a machine that does other work, too
BEFORE, AFTER = 100, 20  # steps before the cut, and with one node
MOST = 1e-2  # the norm of the weights' difference, relative: rounding, grown by hundreds of steps
MOST_OF_LOSS = 1e-2  # the same of a loss in the curves, relative
PART = {"kind": "transformer", "layers": 1, "heads": 2, "feedforward": 64, "dropout": 0.1}
PARAMS: dict[str, Any] = {
    "normaliser": {"form": "NFC"},
    "task": {"kind": "translation"},
    "pieces": {"kind": "unigram", "vocabulary": 32, "byte_fallback": False},
    "encoding": {"block_rows": 16, "shard_rows": 64},
    "model": {
        "width": 32,
        "front": {"kind": "ids"},
        "encoder": PART,
        "decoder": PART,
        "generator": {"kind": "softmax"},
        "embeddings": "tied",
    },
    "training": {
        "tokens_per_step": 200,
        "schedule": {"kind": "cosine", "peak_rate": 0.002, "warmup_steps": 50},
        "optimizer": {"kind": "adamw"},
        "validate_every_steps": 100,
        "checkpoint_every_steps": 50,
        "best_by": "loss",
    },
}
WORDS = ["ein", "zwei", "drei", "vier", "rot", "blau", "hund", "katze", "haus", "baum", "sieht"]


def main() -> int:
    arguments = parse_arguments()
    if os.geteuid() != 0:
        print("two_nodes: needs root, for namespaces of networks and mounts: nothing was done")
        return 0
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name, contextlib.ExitStack() as stack:
        world = World(Path(name), stack, arguments.steps)
        stack.callback(world.end)
        try:
            world.begin()
            rows = list(story(world))
        except BaseException:
            for log in sorted(world.root.glob("*.log")):
                print(f"\n{log.name}:\n{log.read_text(errors='replace')[-3000:]}", file=sys.stderr)
            raise
    write_rows(arguments.json, rows)
    return int(not all(row["as_expected"] for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=600)
    add_json(parser)
    return parser.parse_args()


@dataclass
class Node:
    """A node: its namespaces live as long as the process that holds them."""

    name: str
    number: int  # of its address
    folder: Path  # what it sees as HERE
    holder: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"{NET}.{self.number}"

    @property
    def link(self) -> str:
        """Its end at the bridge."""
        return f"seqline-{self.name}"


@dataclass
class World:
    """The machine's namespaces, the server, and what runs in them."""

    root: Path
    stack: contextlib.ExitStack
    steps: int
    token: str = field(default_factory=lambda: secrets.token_hex(16))
    nodes: dict[str, Node] = field(default_factory=dict)
    server: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Bridge, server and nodes; the first is Ray's head and has the workspace."""
        ip("link", "add", BRIDGE, "type", "bridge")
        ip("addr", "add", f"{NET}.1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        self.server = started(
            [sys.executable, "-m", "moto.server", "-H", f"{NET}.1", "-p", str(S3_PORT)],
            {}, self.root / "s3.log",
        )  # fmt: skip
        for number, name in ((2, "a"), (3, "b")):
            self.nodes[name] = Node(name, number, self.root / name)
            (self.root / name).mkdir()
        until(self.make_bucket, "the S3 server answers")
        self.start("a")
        self.start("b")
        workspace(self.nodes["a"].folder / "workspace", self.steps)

    def make_bucket(self) -> bool:
        from pyarrow.fs import S3FileSystem

        files = S3FileSystem(
            endpoint_override=f"{NET}.1:{S3_PORT}", scheme="http", region="us-east-1",
            access_key="somebody", secret_key="none", allow_bucket_creation=True,
        )  # fmt: skip
        try:
            files.create_dir(BUCKET)
        except OSError:
            return False
        return True

    def start(self, name: str) -> None:
        """A node's namespaces, its link, and Ray in it."""
        node = self.nodes[name]
        node.holder = subprocess.Popen(["unshare", "--net", "--mount", "sleep", "infinity"])
        until(lambda: other_network(node.holder.pid), "namespaces are made")
        inner = f"{node.link}-in"
        ip("link", "add", node.link, "type", "veth", "peer", "name", inner)
        ip("link", "set", node.link, "master", BRIDGE, "up")
        ip("link", "set", inner, "netns", str(node.holder.pid))
        script = f"""
            set -e
            ip link set lo up; ip link set {inner} name eth0
            ip addr add {node.address}/24 dev eth0; ip link set eth0 up
            mkdir -p {node.folder}/home {node.folder}/tmp {node.folder}/ray /tmp/ray
            mount --make-rprivate /
            mount --bind {node.folder} {HERE}
            mount --bind {node.folder}/ray /tmp/ray
            mount -t tmpfs none {self.root}
            mount -t tmpfs none /dev/shm
        """
        subprocess.run(self.inside(name, ["sh", "-c", script]), check=True)
        where = ["--head", "--port", str(PORT), "--include-dashboard=false"]
        if name != "a":
            where = ["--address", f"{self.nodes['a'].address}:{PORT}"]
        command = [str(Path(sys.executable).with_name("ray")), "start", *where, "--block"]
        command += ["--node-ip-address", node.address, "--num-cpus", "1", "--disable-usage-stats"]
        command += ["--object-store-memory", str(100 * 2**20)]
        started(self.inside(name, command), self.environment(), self.root / f"ray-{name}.log")

    def inside(self, name: str, command: list[str]) -> list[str]:
        """A command in a node's namespaces."""
        holder = self.nodes[name].holder
        assert holder is not None
        return ["nsenter", "-t", str(holder.pid), "-n", "-m", "--wd=/", *command]

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://{NET}.1:{S3_PORT}",
            "AWS_ACCESS_KEY_ID": "somebody",
            "AWS_SECRET_ACCESS_KEY": "none",
            "AWS_REGION": "us-east-1",
            "GLOO_SOCKET_IFNAME": "eth0",
            "HOME": f"{HERE}/home",
            "TMPDIR": f"{HERE}/tmp",
            "OMP_NUM_THREADS": "1",
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": self.token,
            "RAY_health_check_initial_delay_ms": "3000",
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_timeout_ms": "3000",
            "RAY_health_check_failure_threshold": "5",
        }

    def pause(self, seconds: float) -> None:
        """What each worker waits before a step, from now on."""
        for node in self.nodes.values():
            (node.folder / "pause").write_text(str(seconds))

    def drive(self, prefix: str) -> subprocess.Popen[bytes]:
        """The stage `train` from the first node."""
        folder = self.nodes["a"].folder / "workspace"
        machine = {
            "workers": [1, 2],
            "device": "cpu",
            "ray_address": f"{self.nodes['a'].address}:{PORT}",
            "state": f"s3://{BUCKET}/{prefix}",
            "checkpoint_seconds": 5.0,
            "resize_seconds": 5.0,
            "worker_restarts": 5,
        }
        (folder / "machine.yaml").write_text(yaml.safe_dump(machine))
        shutil.rmtree(folder / "state", ignore_errors=True)
        command = [sys.executable, str(Path(__file__).resolve()), "--drive", prefix]
        return started(
            self.inside("a", ["env", "-C", f"{HERE}/workspace", *command]),
            self.environment(), self.root / f"driver-{prefix}.log",
        )  # fmt: skip

    def cut_off(self, name: str) -> None:
        ip("link", "set", self.nodes[name].link, "down")

    def kill(self, name: str) -> None:
        """All processes of a node, and with them its namespaces and its link."""
        node = self.nodes[name]
        assert node.holder is not None
        for pid in processes(node):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        node.holder.kill()
        node.holder.wait()
        node.holder = None
        subprocess.run(["ip", "link", "delete", node.link], check=False, capture_output=True)

    def workers(self) -> str:
        """The nodes that training workers are on, such as "ab"."""
        return "".join(
            name
            for name, node in self.nodes.items()
            if node.holder and any("RayTrainWorker" in title(pid) for pid in processes(node))
        )

    def end(self) -> None:
        for name, node in self.nodes.items():
            if node.holder:
                self.kill(name)
        if self.server:
            self.server.kill()
            self.server.wait()
        subprocess.run(["ip", "link", "delete", BRIDGE], check=False, stderr=subprocess.DEVNULL)


def story(world: World) -> Any:
    """What is done, and what was seen, a row each."""
    begun = time.monotonic()
    first = True

    def row(what: str, seen: str, *, as_expected: bool = True) -> Row:
        nonlocal first
        step = last_step(world)
        found = {
            "seconds": round(time.monotonic() - begun),
            "what": what,
            "workers_on": world.workers() or "-",
            "step": step,
            "seen": seen,
            "as_expected": as_expected,
        }
        print_row(found, first=first)
        first = False
        return found

    nodes_join(world)
    yield row("two nodes, no folder in common", "both have joined Ray")
    world.pause(0.0)
    driver = world.drive("undisturbed")
    code = driver.wait(PATIENCE)
    yield row("undisturbed run", f"exit code {code}", as_expected=code == 0)
    expected, order = result(world), orders(world, "undisturbed")
    if code:
        raise SystemExit("two_nodes: the undisturbed run failed")

    driver = world.drive("disturbed")
    until(lambda: last_step(world) >= BEFORE, f"{BEFORE} steps", driver)
    yield row("disturbed run", "steps are taken", as_expected=world.workers() == "ab")
    world.cut_off("b")
    yield row("the second node's link goes down", "")
    time.sleep(5)
    at = last_step(world)
    world.kill("b")
    yield row("the second node is killed", "")
    until(
        lambda: goes_on(world, "resumed", 1) and last_step(world) > at + AFTER, "it goes on", driver
    )
    yield row("training goes on", "with one node", as_expected=world.workers() == "a")
    world.pause(PAUSE)
    world.start("b")
    yield row("the second node is started again", "")
    until(lambda: goes_on(world, "resumed", 2) and world.workers() == "ab", "it grows", driver)
    yield row("training grows", "with both nodes")
    world.pause(0.0)
    code = driver.wait(PATIENCE)
    yield row("disturbed run", f"exit code {code}", as_expected=code == 0)
    if code:
        raise SystemExit("two_nodes: the disturbed run failed")
    found, other = result(world), orders(world, "disturbed")
    same = other.keys() == order.keys() and all(other[at] == order[at] for at in order)
    yield row(
        "order of the data", f"{len(other)} groups, {'the same' if same else 'others'}",
        as_expected=same and len(other) == world.steps,
    )  # fmt: skip
    weights = norm([found[0][name] - expected[0][name] for name in expected[0]])
    weights /= norm(list(expected[0].values()))
    losses = max(abs(a / b - 1) for a, b in zip(found[1], expected[1], strict=True))
    yield row(
        "result", f"weights differ by {weights:.1e}, losses by {losses:.1e}",
        as_expected=weights < MOST and losses < MOST_OF_LOSS,
    )  # fmt: skip


def norm(arrays: list[Any]) -> float:
    return float(np.sqrt(sum((array.astype(np.float64) ** 2).sum() for array in arrays)))


def nodes_join(world: World) -> None:
    """Wait until Ray knows both nodes."""
    status = [str(Path(sys.executable).with_name("ray")), "status", "--address"]
    status.append(f"{world.nodes['a'].address}:{PORT}")

    def both() -> bool:
        done = subprocess.run(
            world.inside("a", status), env={**os.environ, **world.environment()},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return "/2.0 CPU" in done.stdout

    until(both, "both nodes have joined")


def goes_on(world: World, note: str, times: int) -> bool:
    """Does the progress, as the driver has it, tell of something so often?"""
    return [record["note"] for record in records(world)].count(note) >= times


def last_step(world: World) -> int:
    steps = [record["step"] for record in records(world) if record["kind"] == "train"]
    return steps[-1] if steps else 0


def records(world: World) -> list[Any]:
    found: list[Any] = []
    for path in (world.nodes["a"].folder / "workspace/state").glob("*/progress.jsonl"):
        for line in path.read_text().splitlines():
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
    return found


def result(world: World) -> tuple[dict[str, Any], list[float]]:
    """Weights, and the losses of the curves."""
    out = world.nodes["a"].folder / "workspace/artifacts"
    lines = (out / "curves.csv").read_text().splitlines()[1:]
    losses = [float(cell) for line in lines for cell in line.split(",")[1:3]]
    return read_tensors(out / "model/weights.safetensors"), losses


def orders(world: World, prefix: str) -> dict[str, str]:
    """Where a group stands → digest of its examples, as every worker of every node saw them.

    Two that saw different ones give a digest that nobody saw.
    """
    found: dict[str, set[str]] = {}
    for node in world.nodes.values():
        for line in (node.folder / f"order-{prefix}").read_text().splitlines():
            position, _, digest = line.partition(" ")
            if len(digest) == 64:  # not cut short by a kill
                found.setdefault(position, set()).add(digest)
    return {position: " ".join(sorted(digests)) for position, digests in found.items()}


def workspace(folder: Path, steps: int) -> None:
    """A folder in which the stage `train` has all that it needs."""
    import pipeline.stages.encode as encode
    import pipeline.stages.pieces as pieces
    from pipeline.machine import Machine
    from pipeline.records import SPLITS
    from pipeline.records import Row as Example
    from pipeline.rows import RowWriter, row_batch
    from pipeline.settings import parse

    random, artifacts = np.random.default_rng(1), folder / "artifacts"
    for split, count in zip(SPLITS, (600, 40, 5), strict=True):
        rows: list[Example] = []
        for number in range(count):
            words = random.choice(WORDS, random.integers(2, 7)).tolist()
            source, target = " ".join(words), " ".join(reversed(words))
            name = f"{split}:{number}"
            rows.append(Example(name, "drawn", split, name, source, target, (target,), "de", "en"))
        with RowWriter(
            artifacts / ("clean/train" if split == "train" else f"rows/{split}")
        ) as file:
            file.write(row_batch(rows))
    (folder / "data/none").mkdir(parents=True)
    params = {**PARAMS, "training": {**PARAMS["training"], "steps": steps}}
    (folder / "params.yaml").write_text(yaml.safe_dump(params))
    for stage in (pieces, encode):
        sections = {name: params[name] for name in stage.Settings.model_fields}
        settings = parse(stage.Settings, sections, "params.yaml")
        stage.run(settings, Machine(data_processes=1), artifacts, artifacts)


def drive(prefix: str) -> None:
    """In the first node: the stage, whose workers note what they see, each in its node's folder."""
    from pipeline.machine import read_machine
    from pipeline.settings import load
    from pipeline.stages import train

    def work(seat: Any, job: Any) -> None:
        from pipeline.job import work as as_ever

        noted(HERE / f"order-{prefix}")
        as_ever(seat, job)

    train.work = work
    settings = load(train.Settings, Path("params.yaml"))
    train.run(settings, read_machine(), Path("artifacts"), Path("artifacts"))


def noted(path: Path) -> None:
    """Have each group that a worker reads noted, with the position that follows it."""
    from pipeline.training.loop import Course

    share = Course._share

    def noting(self: Any, group: Any, position: Any, rank: int, workers: int) -> Any:
        time.sleep(float(path.with_name("pause").read_text() or 0))
        digest = hashlib.sha256()
        for side in (group.source, group.target):
            digest.update(side.end_to_end().tobytes() + side.lengths.tobytes())
        with path.open("a") as file:
            file.write(
                f"{position.epoch},{position.window},{position.group} {digest.hexdigest()}\n"
            )
        return share(self, group, position, rank, workers)

    Course._share = noting


def until(true: Callable[[], bool], what: str, driver: Any = None) -> None:
    """Wait for something."""
    end = time.monotonic() + PATIENCE
    while not true():
        if time.monotonic() > end or (driver is not None and driver.poll() is not None):
            raise SystemExit(f"two_nodes: it did not happen: {what}")
        time.sleep(0.2)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def started(command: list[str], more: dict[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen(
            command, env={**os.environ, **more}, stdout=file, stderr=file, start_new_session=True
        )


def other_network(pid: int) -> bool:
    return Path(f"/proc/{pid}/ns/net").readlink() != Path("/proc/self/ns/net").readlink()


def processes(node: Node) -> list[int]:
    """Everything that runs in a node's network, but what holds it."""
    assert node.holder is not None
    space, found = Path(f"/proc/{node.holder.pid}/ns/net").readlink(), list[int]()
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (path / "ns/net").readlink() == space and int(path.name) != node.holder.pid:
                found.append(int(path.name))
    return found


def title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


if __name__ == "__main__":
    if sys.argv[1:2] == ["--drive"]:
        drive(sys.argv[2])
    else:
        raise SystemExit(main())
