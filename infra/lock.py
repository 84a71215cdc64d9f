"""Write requirements.lock and versions.yaml: `make lock`.

    requirements.in ──► requirements.lock   exact versions of all that is installed
                    └─► versions.yaml       of these, the libraries that can change a result

`python infra/lock.py` resolves anew, staying with what the lock has where that is possible;
`--upgrade` takes the newest, `--versions` only writes versions.yaml from the lock that is there.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = "3.11"

# A change of one of these makes the stages run again that have it among their params.
LIBRARIES = (
    "babel",
    "mlflow",
    "num2words",
    "numpy",
    "pyarrow",
    "sacrebleu",
    "safetensors",
    "sentencepiece",
    "torch",
)

LOCK_HEADER = """\
# Exact versions that work together, for Python 3.11; written by `make lock` from requirements.in.
# CUDA's libraries are torch's own business: torch from the public index asks for those that it was
# built with, a build for CPUs for none. So they stand in no lock, and neither does a local suffix
# (+cpu, +cu130): the same lock installs on machines with and without a GPU.
"""
VERSIONS_HEADER = """\
# Library → version, written by `make lock`: parameters of the stages whose results they can change.
"""


def main(arguments: list[str]) -> None:
    """Write both files."""
    lock = ROOT / "requirements.lock"
    if "--versions" not in arguments:
        lock.write_text(LOCK_HEADER + resolve(lock, upgrade="--upgrade" in arguments))
    (ROOT / "versions.yaml").write_text(versions_text(lock.read_text()))


def resolve(lock: Path, *, upgrade: bool) -> str:
    """The resolver's pins with their reasons, the same on machines with and without a GPU."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder) / "requirements.txt"  # the resolver stays with what it finds here
        draft.write_text("" if upgrade or not lock.exists() else lock.read_text())
        command = ["uv", "pip", "compile", "requirements.in", "--python-version", PYTHON]
        command += ["--no-header", "--quiet", "--output-file", str(draft)]
        links = os.environ.get("PIP_FIND_LINKS")
        command += ["--find-links", links] if links else []
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        return portable(draft.read_text())


def portable(text: str) -> str:
    """`torch==2.13.0+cpu` becomes `torch==2.13.0`; CUDA's libraries and their reasons go."""
    text = re.sub(r"(?m)^([A-Za-z0-9._-]+==[^\s+]+)\+\S+", r"\1", text)
    return re.sub(r"(?m)^(?:cuda-|nvidia-|triton=)\S+\n(?:[ \t].*\n)*", "", text)


def locked(text: str) -> dict[str, str]:
    """Name → version of a lock's lines."""
    return dict(re.findall(r"(?m)^([A-Za-z0-9._-]+)==(\S+)", text))


def versions_text(lock: str) -> str:
    """The content of versions.yaml for this lock."""
    pins = locked(lock)
    return VERSIONS_HEADER + "".join(f"{name}: {pins[name]}\n" for name in LIBRARIES)


if __name__ == "__main__":
    main(sys.argv[1:])
