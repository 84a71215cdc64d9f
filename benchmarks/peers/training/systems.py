"""The systems that are compared: their modules, and what is installed for them."""

import sys
from dataclasses import dataclass
from pathlib import Path

from peers.environment import install

TORCH = "torch==2.13.0"


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
