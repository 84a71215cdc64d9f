"""A ledger that names the folder in which it was made."""

from pathlib import Path

import pipeline.files as files

LAW = "identity"
TEST = "tests/laws/test_identity.py::test_another_folder_and_time_give_the_same_bytes"
WHY = "A path of one machine is in an out, so that a clone elsewhere gives another dvc.lock."


def mutate(monkeypatch):
    original = files.canonical_json

    def canonical_json(value, *, indent=None):
        placed = {**value, "folder": str(Path.cwd())} if isinstance(value, dict) else value
        return original(placed, indent=indent)

    monkeypatch.setattr(files, "canonical_json", canonical_json)
