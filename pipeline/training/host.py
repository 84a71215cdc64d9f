"""The host: how busy the machine under a worker is, whoever makes it so.

Names and units are those of MLflow's own system metrics, so that its page of them shows these; what
is read is Linux's /proc. Looked at every few seconds by a thread beside the steps.
"""

import shutil
from pathlib import Path

import torch

STAT, MEMORY = Path("/proc/stat"), Path("/proc/meminfo")
IDLE = slice(3, 5)  # of the times in the first line of /proc/stat: idle, and waiting for a disk
COUNTED = 8  # of them: the rest is in these already
MEGABYTE = 10**6


class Host:
    """The host of this worker; shares of time are since it was looked at last."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.folder, self.device = folder, device
        self._times: list[int] = []

    def look(self) -> dict[str, float]:
        """How busy it is now."""
        return {**self._processors(), **_memory(), **self._disk(), **self._device()}

    def _processors(self) -> dict[str, float]:
        before, self._times = self._times, _times()
        if not before:
            return {}
        spent = [now - then for now, then in zip(self._times, before, strict=True)]
        busy = 1 - sum(spent[IDLE]) / max(1, sum(spent))
        return {"cpu_utilization_percentage": 100 * busy}

    def _disk(self) -> dict[str, float]:
        """Of the file system that holds checkpoints."""
        total, used, _ = shutil.disk_usage(self.folder)
        return {
            "disk_usage_megabytes": used / MEGABYTE,
            "disk_usage_percentage": 100 * used / total,
        }

    def _device(self) -> dict[str, float]:
        if self.device.type != "cuda":
            return {}
        free, total = torch.cuda.mem_get_info(self.device)
        name, used = f"gpu_{self.device.index or 0}", total - free
        return {
            f"{name}_memory_usage_megabytes": used / MEGABYTE,
            f"{name}_memory_usage_percentage": 100 * used / total,
        }


def _times() -> list[int]:
    """What the processors did, in ticks since the machine started: user, nice, system, idle, …"""
    first = STAT.read_text(encoding="ascii").partition("\n")[0]
    return [int(field) for field in first.split()[1 : COUNTED + 1]]


def _memory() -> dict[str, float]:
    lines = MEMORY.read_text(encoding="ascii").splitlines()
    bytes_of = {line.split(":")[0]: 1024 * int(line.split()[1]) for line in lines}
    total = bytes_of["MemTotal"]
    used = total - bytes_of["MemAvailable"]
    return {
        "system_memory_usage_megabytes": used / MEGABYTE,
        "system_memory_usage_percentage": 100 * used / total,
    }
