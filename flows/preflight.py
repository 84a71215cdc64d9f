"""Preflight: what can be found out before anything is deleted or spent.

params.yaml, machine.yaml, corpora, libraries, disk, memory, servers ─► a Problem, or notes
"""

import os
import shutil
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flows import child, server
from flows.bill import duration
from flows.graph import Graph
from flows.hardware import check_hardware
from flows.inputs import check_dependencies, check_versions
from flows.memory import expected_seconds
from flows.overlap import check_corpora
from flows.plan import Planned
from flows.talk import say
from flows.trainer import train_steps
from pipeline.files import disk_problem
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.registry.addresses import public
from pipeline.settings import load
from pipeline.store import Store

WRITTEN = ("artifacts", "registry", "report", ".dvc", ".")
LEAST_DISK = 500 * 2**20  # bytes
LEAST_MEMORY = 2**30  # bytes


def preflight(machine: Machine, graph: Graph, plan: Sequence[Planned]) -> None:
    """All checks, the cheap ones first."""
    check(machine, graph)
    look_ahead(machine, plan)


def check(machine: Machine, graph: Graph) -> None:
    """What loads no library, the servers that machine.yaml names among it."""
    check_outside()
    check_dependencies(graph)
    check_versions()
    check_disk(machine)
    check_memory()
    check_servers(machine)


def look_ahead(machine: Machine, plan: Sequence[Planned]) -> None:
    """What takes seconds in any case; ends with the forecast."""
    check_stages()
    for note in [*check_hardware(machine), *check_corpora()]:
        say(note)
    say(forecast(machine, plan))


def check_outside() -> None:
    """The sections that no stage reads can be taken: the registry's and the gate's."""
    from flows.release import Sections

    load(Sections, Path("params.yaml"))


def check_disk(machine: Machine) -> None:
    """The folders that a run writes can be written, and hold twice what the results take now."""
    for name in (str(machine.folder), *WRITTEN):
        _check_writable(Path(name))
    now = sum(path.stat().st_size for path in Path("artifacts").rglob("*") if path.is_file())
    needed = max(LEAST_DISK, 2 * now)
    free = shutil.disk_usage(".").free
    if free < needed:
        raise Problem(
            "the disk is nearly full",
            where=str(Path.cwd()),
            value=f"{free / 2**20:.0f} MiB free, a run wants {needed / 2**20:.0f}",
            remedy="free space: seqline gc, or delete state/",
        )


def _check_writable(folder: Path) -> None:
    while not folder.exists():
        folder = folder.parent
    probe = folder / f".probe.{os.getpid()}"
    try:
        probe.write_bytes(b"1")
        probe.unlink()
    except OSError as error:
        raise disk_problem(error, folder) from None


def check_memory() -> None:
    """Some memory is left."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    facts = dict(line.split(":") for line in lines)
    available = int(facts["MemAvailable"].split()[0]) * 1024
    if available < LEAST_MEMORY:
        raise Problem(
            "too little memory is left",
            value=f"{available / 2**20:.0f} MiB available, a run wants {LEAST_MEMORY / 2**20:.0f}",
            remedy="stop other programs, or lower workers in machine.yaml",
        )


def check_servers(machine: Machine) -> None:
    """The servers that machine.yaml names answer."""
    from pipeline.registry.server import reachable

    problem = reachable(machine.mlflow_uri)
    if problem is not None:
        raise problem
    if machine.prefect_api_url is not None:
        server.check(machine.prefect_api_url)
    if machine.ray_address not in ("local", "auto"):
        _check_ray(machine.ray_address)
    if machine.address is not None:
        Store(machine.address).check()


def _check_ray(address: str) -> None:
    try:
        parts = urlsplit(address if "://" in address else f"ray://{address}")
        socket.create_connection((parts.hostname or "", parts.port or 6379), timeout=5).close()
    except (OSError, ValueError) as error:  # a port that is no number
        raise Problem(
            f"no Ray cluster answers: {error}",
            where="machine.yaml, ray_address",
            value=public(address),
            remedy="start it: ray start --head; or local",
        ) from None


def check_stages() -> None:
    """Every stage imports and takes its parameters; in a process of its own: torch is slow."""
    lines: list[str] = []
    if child.run(["python", "-m", "pipeline", "--check"], lines.append) != 0:
        raise Problem("\n".join(lines) or "a stage cannot be imported")


def check_allowed() -> None:
    """Where outputs are restricted: the pieces, which are there by now, can spell some of them."""
    lines: list[str] = []
    if child.run(["python", "-m", "pipeline", "--check", "pieces"], lines.append) != 0:
        raise Problem("\n".join(lines) or "decoding.allowed cannot be spelled")


def forecast(machine: Machine, plan: Sequence[Planned]) -> str:
    """How long the run may take, from earlier runs of the same stages."""
    todo = [one for one in plan if one.action in ("run", "run if")]
    known = {
        one.stage: expected_seconds(machine.folder, one.stage, train_steps(one.stage))
        for one in todo
    }
    total = sum(seconds or 0.0 for seconds in known.values())
    steps = train_steps("train") if "train" in known else None
    unknown = [stage for stage, seconds in known.items() if seconds is None]
    parts = [f"{len(todo)} of {len(plan)} stages to run"]
    if steps:
        parts.append(f"up to {steps} training steps")
    if total:
        parts.append(f"about {duration(total)} by earlier runs")
    if unknown:
        parts.append(f"not timed yet: {', '.join(unknown)}")
    return "; ".join(parts)
