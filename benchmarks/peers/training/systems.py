"""The systems that are compared: their modules, what is installed for them, and their setups."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from peers.environment import install
from pipeline.seats import PRODUCTS, THREADS, Crew, environment

TORCH = "torch==2.13.0"
HERE = Path(__file__).resolve().parents[2]
OURS = "ours"
SETUPS = ("tuned", "own")
Entrant = tuple[str, str]  # a system and its setup


@dataclass(frozen=True)
class System:
    """A system: its module, what is installed for it, and the precisions that it knows on a CPU."""

    module: str
    packages: tuple[str, ...] = ()
    precisions: tuple[str, ...] = ("fp32", "bf16")


SYSTEMS = {
    "ours": System("ours"),
    "eole": System("eole_peer", (TORCH, "eole==0.6.4")),
    "huggingface": System("hugging_face", (TORCH, "transformers==5.23.0", "accelerate==1.15.0")),
    "joeynmt": System(
        "joeynmt_peer", (TORCH, "joeynmt==2.3.0", "importlib-metadata==10.2.0"), ("fp32",)
    ),
}


def python_of(name: str, folder: Path) -> Path:
    """The interpreter of a system: our own, or that of its environment."""
    packages = SYSTEMS[name].packages
    return install(folder / name, packages) if packages else Path(sys.executable)


def entrants(systems: Sequence[str], setups: Sequence[str], precision: str) -> list[Entrant]:
    """Who computes in this precision, ours first."""
    able = [name for name in systems if precision in SYSTEMS[name].precisions]
    peers = [(name, setup) for name in able if name != OURS for setup in setups]
    return [(OURS, "own")] * (OURS in able) + peers


def variables(threads: int, *, tuned: bool) -> dict[str, str]:
    """So many threads; tuned, with the allocator of our workers, which helps the peers, too.

    How many products are kept ready suits our steps alone; the peers keep what they would.
    """
    ours = environment(Crew(1, "cpu", threads, 0, "local"))
    kept = [name for name in ours if name not in PRODUCTS and (tuned or name in THREADS)]
    paths = {"PYTHONPATH": os.pathsep.join(map(str, (HERE.parent, HERE)))}
    return os.environ | {name: ours[name] for name in kept} | paths
