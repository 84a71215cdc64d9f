"""`seqline run` before its flow starts: what is wrong is one Problem, and -S is undone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from flows import preflight, release
from flows.commands import run as running
from flows.commands.plan import plan
from flows.commands.run import run
from flows.commands.start_from import start_from
from flows.commands.status import status
from flows.plan import Planned
from flows.trainer import train_steps
from pipeline.problems import Problem

GOOD = b"a: {times: 2}\nb: {unit: line}\nregistry: {model: tiny}\ngate: {margin: 1.0}\n"
BROKEN = {
    "a:\nb: {}\nregistry: {}\ngate: {}\n": "params.yaml, a: expected keys and values",
    "a: 5\nb: {}\nregistry: {}\ngate: {}\n": "params.yaml, a: expected keys and values",
    "a: [\n": "broken YAML",
    "- a\n": "params.yaml: expected keys and values",
    "": "section 'a' is missing",
    "1: x\na: {}\nb: {}\n": "params.yaml, 1: unknown parameter",
}


@pytest.mark.parametrize("text", BROKEN)
@pytest.mark.parametrize(
    "command",
    [plan, status, lambda: run([]), lambda: run(["a.times=3"]), lambda: start_from("1")],
    ids=["plan", "status", "run", "run -S", "start-from"],
)
def test_impossible_params_are_one_problem(toy: Path, text: str, command: Any) -> None:
    (toy / "params.yaml").write_text(text)
    with pytest.raises(Problem) as caught:
        command()
    sought = "what is above it has no keys"  # what -S names is looked for first
    assert BROKEN[text] in str(caught.value) or sought in str(caught.value)
    assert (toy / "params.yaml").read_text() == text


@pytest.mark.parametrize("sets", [[], ["a.times=3"]])
def test_params_that_are_not_utf8_are_a_problem(toy: Path, sets: list[str]) -> None:
    (toy / "params.yaml").write_bytes(b"a: \xff\n")
    with pytest.raises(Problem, match="not UTF-8"):
        run(sets)


def test_the_number_of_steps_is_read_as_training_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    params = tmp_path / "params.yaml"
    params.write_text("training: {steps: 1800}\n")
    assert (train_steps("train"), train_steps("clean")) == (1800, None)
    for value in ("many", "0", "null"):
        params.write_text(f"training: {{steps: {value}}}\n")
        with pytest.raises(Problem, match=r"params\.yaml, training, steps"):
            train_steps("train")


@pytest.mark.parametrize(
    ("assignment", "word"),
    [
        ("gate.margin=-1", "gate.margin"),
        ("gate.drift={to_long: 0.1}", "did you mean 'too_long'?"),
        ("registry.model=a b", "registry.model"),
        ("gate=5", "not an assignment"),
    ],
)
def test_a_bad_gate_or_registry_is_found_in_preflight_and_undone(
    toy: Path, assignment: str, word: str
) -> None:
    (toy / "params.yaml").write_bytes(GOOD)
    with pytest.raises(Problem) as caught:
        run(["a.times=3", assignment])
    assert word in str(caught.value)
    assert (toy / "params.yaml").read_bytes() == GOOD


@pytest.mark.parametrize("error", [Problem("no server"), KeyboardInterrupt(), ValueError("a bug")])
@pytest.mark.parametrize("place", ["check", "serving", "look_ahead", "outside", "answers"])
def test_whatever_fails_before_the_flow_starts_undoes_what_was_set_and_ends_the_server(
    toy: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException, place: str
) -> None:
    seen: list[str] = []

    def passes(name: str) -> Callable[..., None]:
        def work(*arguments: object) -> None:
            assert b"times: 3" in (toy / "params.yaml").read_bytes()
            seen.append(name)
            if name == place:
                raise error

        return work

    @contextmanager
    def serving(*arguments: object) -> Iterator[Callable[[], None]]:
        passes("serving")()
        try:
            yield passes("answers")
        finally:
            seen.append("ended")

    (toy / "params.yaml").write_bytes(GOOD)
    monkeypatch.setattr(running, "prepare", lambda machine: (None, [Planned("one", "run")]))
    monkeypatch.setattr(running, "serving", serving)
    monkeypatch.setattr(release, "outside", passes("outside"))
    for name in ("check", "look_ahead"):
        monkeypatch.setattr(preflight, name, passes(name))
    with pytest.raises(type(error)):
        run(["a.times=3"])
    assert (toy / "params.yaml").read_bytes() == GOOD
    order = ["check", "serving", "look_ahead", "outside", "answers"]
    begun = order[: order.index(place) + 1]
    assert seen == (begun if place in order[:2] else [*begun, "ended"])


def test_params_that_were_edited_meanwhile_are_left_alone(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edit(machine: object) -> None:
        (toy / "params.yaml").write_text("# mine\n")
        raise Problem("something else")

    (toy / "params.yaml").write_bytes(GOOD)
    monkeypatch.setattr(running, "prepare", edit)
    with pytest.raises(Problem, match="something else"):
        run(["a.times=3"])
    assert (toy / "params.yaml").read_text() == "# mine\n"
