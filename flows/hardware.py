"""This machine's hardware against what is asked of it: GPUs, a compiler, arithmetic in bf16."""

import os
import shutil
from collections.abc import Set
from pathlib import Path

from flows import child
from pipeline.machine import Machine
from pipeline.problems import Problem
from pipeline.seats import crew_of
from pipeline.settings import read_yaml

SLOWER = {"training": "many times slower", "decoding": "a fourth slower"}  # where bf16 is imitated
DRIVER = Path("/dev/nvidiactl")  # there wherever a GPU of NVIDIA can be used
FIRST_GPU = (8, 0)  # the compute capability from which on GPUs compute in bf16
CPU_FLAGS = {"avx512_bf16", "amx_bf16", "bf16"}  # x86, x86, ARM
ASK = (
    "from torch import cuda; found = map(cuda.get_device_capability, range(cuda.device_count()));"
    "print(*(f'{major}.{minor}' for major, minor in found))"
)
Capability = tuple[int, int]


def check_hardware(machine: Machine) -> list[str]:
    """A Problem where the hardware is missing; notes on what it does slowly.

    A cluster's hardware cannot be seen from here.
    """
    if machine.ray_address != "local":
        return []
    asked = machine.device == "cuda" or (machine.device == "auto" and DRIVER.exists())
    gpus = capabilities() if asked else []
    crew_of(machine, gpus=len(gpus))  # a Problem where one is asked for that is not there
    check_compiler(machine, gpus)
    params, flags = read_yaml(Path("params.yaml")), cpu_flags(Path("/proc/cpuinfo"))
    notes = [
        check_precision(name, params.get(name, {}).get("precision"), gpus, flags) for name in SLOWER
    ]
    return [note for note in notes if note]


def check_precision(
    section: str, precision: object, gpus: list[Capability], flags: Set[str]
) -> str:
    """A Problem where no GPU can compute so, a note where the processor emulates it, or ""."""
    if precision != "bf16":
        return ""
    if gpus and min(gpus) < FIRST_GPU:
        raise Problem(
            "this GPU does not compute in bf16",
            where=f"params.yaml, {section}.precision",
            value="compute capability {}.{}".format(*min(gpus)),
            remedy="precision: fp32; or a GPU of capability 8.0; or machine.yaml, device: cpu",
        )
    if gpus or flags & CPU_FLAGS:
        return ""
    slower = SLOWER[section]
    return f"this processor has no instructions for bf16: {section} is {slower} than in fp32"


def check_compiler(machine: Machine, gpus: list[Capability]) -> None:
    """A Problem where torch.compile is asked for, and lacks what it compiles with."""
    if machine.compile is not True:
        return
    on_gpu = machine.device != "cpu" and bool(gpus)
    variable, names = ("CC", ("gcc", "clang")) if on_gpu else ("CXX", ("g++",))
    asked = os.environ.get(variable)
    names = (asked,) if asked else names
    if not any(shutil.which(name) for name in names):
        raise Problem(
            f"torch.compile needs {' or '.join(names)}",
            where="machine.yaml, compile",
            value=machine.compile,
            remedy=f"install it, name another in {variable}, or set `auto` or `false`",
        )


def capabilities() -> list[Capability]:
    """The compute capability of each GPU that torch finds, asked in a process of its own."""
    lines: list[str] = []
    if child.run(["python", "-W", "ignore", "-c", ASK], lines.append) != 0 or not lines:
        return []
    return [
        (int(major), int(minor)) for major, minor in (one.split(".") for one in lines[-1].split())
    ]


def cpu_flags(cpuinfo: Path) -> set[str]:
    """What the first core can do, in Linux's words."""
    for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return set(value.split())
    return set()
