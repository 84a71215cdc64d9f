"""The image and the services of infra/, as far as they can be told without a container engine."""

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

SERVICE_KEYS = {
    "build", "command", "depends_on", "environment", "healthcheck", "image", "init", "ports",
    "restart", "shm_size", "volumes",
}  # fmt: skip


@pytest.fixture(scope="module")
def services(root):
    return yaml.safe_load((root / "infra/compose.yaml").read_text())["services"]


@functools.cache
def help_of(program, *command):
    """What a program of the environment prints for --help."""
    return subprocess.run(
        [Path(sys.executable).parent / program, *command, "--help"],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip


def words(service):
    """A service's command as words; of a shell's commands, all of them."""
    command = service["command"]
    return shlex.split(command[2].replace("&&", " ")) if command[:2] == ["sh", "-c"] else command


def test_the_services_are_these(services):
    assert set(services) == {"mlflow", "prefect", "ray-head", "ray-worker", "line"}


def test_services_use_keys_of_the_compose_specification(services):
    for service in services.values():
        assert set(service) <= SERVICE_KEYS


def test_ports_are_published_on_loopback_only(services):
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:5000:5000", "127.0.0.1:4200:4200"]


def test_every_service_of_ray_has_the_token(services):
    for name in ("ray-head", "ray-worker", "line"):
        assert services[name]["environment"]["RAY_AUTH_MODE"] == "token"


@pytest.mark.parametrize(
    ("service", "command"),
    [
        ("mlflow", ["mlflow", "server"]),
        ("prefect", ["prefect", "server", "start"]),
        ("ray-head", ["ray", "start"]),
        ("ray-worker", ["ray", "start"]),
        ("line", ["seqline", "schedule"]),
    ],
)
@pytest.mark.system
def test_the_programs_know_the_options_that_are_used(service, command, services):
    text = help_of(*command)
    line = " ".join(words(services[service]))
    used = line[line.index(" ".join(command)) :]
    for option in re.findall(r"(?<=\s)--[a-z-]+", used):
        assert option in text, option


def test_the_image_copies_files_that_exist(root):
    text = (root / "infra/Dockerfile").read_text()
    lines = [line for line in text.splitlines() if line.startswith("COPY")]
    copied = [name for line in lines for name in line.split()[1:-1]]
    let_in = (root / "infra/Dockerfile.dockerignore").read_text().splitlines()
    for name in copied:
        assert (root / name).exists(), name
        assert f"!{name}" in let_in


def test_the_image_has_the_python_of_the_lock(root):
    assert "FROM python:3.11-" in (root / "infra/Dockerfile").read_text()
    assert "for Python 3.11" in (root / "requirements.lock").read_text()
