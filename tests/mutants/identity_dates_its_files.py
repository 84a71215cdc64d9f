"""A manifest that says when it was written."""

import time

import pipeline.files as files

LAW = "identity"
TEST = "tests/laws/test_identity.py::test_another_folder_and_time_give_the_same_bytes"
WHY = "A clock is in an out, so that every run gives another dvc.lock."


def mutate(monkeypatch):
    original = files.canonical_json

    def canonical_json(value, *, indent=None):
        dated = {**value, "written": time.time()} if isinstance(value, dict) else value
        return original(dated, indent=indent)

    monkeypatch.setattr(files, "canonical_json", canonical_json)
