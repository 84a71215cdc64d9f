"""What every test shares: where the project is, and one thread, so that tests run side by side."""

import os
from pathlib import Path

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")  # before torch and numpy are imported


@pytest.fixture(scope="session")
def root():
    """The project's folder."""
    return Path(__file__).resolve().parents[1]
