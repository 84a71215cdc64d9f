"""The flow's memory may be lost or broken: that costs precision, never a command."""

import json
from pathlib import Path

import pytest

from flows.graph import read_graph
from flows.memory import expected_seconds, known_files, remember_files, remember_time


def test_files_are_remembered_by_the_digest_of_their_folder(toy: Path) -> None:
    graph = read_graph(toy)
    assert known_files(toy / "state", graph) == {}
    remember_files(toy / "state", graph)
    known = known_files(toy / "state", graph)
    assert sorted(name for files in known.values() for name in files) == ["m.py", "text"]


@pytest.mark.parametrize("content", [b"", b"{", b"\xff"])
def test_what_is_broken_is_passed_over(toy: Path, content: bytes) -> None:
    graph, state = read_graph(toy), toy / "state"
    remember_files(state, graph)
    broken, whole = sorted((state / "flow" / "trees").glob("*.json"))
    broken.write_bytes(content)
    [files] = known_files(state, graph).values()
    assert files == json.loads(whole.read_text())
    remember_time(state, "one", 5.0, None)
    with (state / "flow" / "times.jsonl").open("ab") as file:
        file.write(content + b"\n")
    remember_time(state, "one", 7.0, None)
    assert expected_seconds(state, "one") == 7.0


def test_a_training_of_a_few_steps_tells_little_about_a_long_one(tmp_path: Path) -> None:
    for seconds, steps in ((280.0, 1800), (25.0, 40), (4.0, 1800)):
        remember_time(tmp_path, "train", seconds, steps)
    assert expected_seconds(tmp_path, "train", 900) == 140.0


def test_a_state_folder_that_cannot_be_written_costs_no_command(toy: Path) -> None:
    state = toy / "state"
    state.write_text("a file")
    graph = read_graph(toy)
    remember_files(state, graph)
    remember_time(state, "one", 5.0, None)
    assert known_files(state, graph) == {}
    assert expected_seconds(state, "one") is None
