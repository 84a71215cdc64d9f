"""An environment of their own for peers, which may want other packages than the project's."""

import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path


def install(folder: Path, packages: Sequence[str]) -> Path:
    """The python of an environment that has these packages, made where there is none."""
    done, wanted = folder / "installed.txt", "\n".join(packages)
    python = folder / "bin" / "python"
    if not done.exists() or done.read_text(encoding="utf-8") != wanted:
        print(f"installing {', '.join(packages)} into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
        done.write_text(wanted, encoding="utf-8")
    return python
