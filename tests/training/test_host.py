"""The host: what its files say becomes shares, under the names that MLflow gives them."""

import pytest
import torch

from pipeline.training import host as host_module
from pipeline.training.host import Host


@pytest.fixture
def proc(tmp_path, monkeypatch):
    """What stands in /proc/stat: user, nice, system, idle, waiting for a disk, …"""
    stat, memory = tmp_path / "stat", tmp_path / "meminfo"
    monkeypatch.setattr(host_module, "STAT", stat)
    monkeypatch.setattr(host_module, "MEMORY", memory)
    memory.write_text("MemTotal: 8000 kB\nMemFree: 100 kB\nMemAvailable: 2000 kB\nHugePages: 0\n")

    def say(*times):
        stat.write_text(f"cpu  {' '.join(map(str, times))}\ncpu0 1 2 3 4 5 6 7 8 9 10\n")

    say(100, 0, 50, 800, 50, 0, 0, 0, 7, 7)
    return say


def test_shares_are_of_the_time_since_the_last_look(tmp_path, proc):
    host = Host(tmp_path, torch.device("cpu"))
    first = host.look()
    assert "cpu_utilization_percentage" not in first
    proc(130, 5, 60, 840, 60, 0, 5, 0, 9, 9)
    second = host.look()
    assert second.pop("cpu_utilization_percentage") == pytest.approx(50.0)
    assert second["system_memory_usage_megabytes"] == pytest.approx(6000 * 1024 / 1e6)
    assert second["system_memory_usage_percentage"] == pytest.approx(75.0)
    assert 0 < second["disk_usage_percentage"] <= 100
    assert second.keys() == first.keys()


def test_this_machine_has_such_files(tmp_path):
    host = Host(tmp_path, torch.device("cpu"))
    host.look()
    assert 0 <= host.look()["cpu_utilization_percentage"] <= 100


def test_the_names_are_those_of_mlflow(tmp_path, proc):
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.disk_monitor import DiskMonitor

    known = set()
    for monitor in (CPUMonitor(), DiskMonitor()):
        monitor.collect_metrics()
        known |= monitor.metrics.keys()
    host = Host(tmp_path, torch.device("cpu"))
    host.look()
    assert host.look().keys() <= known
