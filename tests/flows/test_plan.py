import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.graph import read_graph
from flows.memory import known_files, remember_files
from flows.plan import Planned, make_plan
from flows.walk import Place, reproduce

FRESH = Planned("one", "up to date"), Planned("two", "up to date")


def planned(folder: Path) -> tuple[Planned, ...]:
    graph = read_graph(folder)
    return make_plan(graph, known_files(folder / "state", graph))


def write(name: str, text: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)

    return change


def remove(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

    return change


MAY_DIFFER = Planned("two", "run if", ("out/one may differ",))
CHANGES = {
    "nothing": (lambda folder: None, FRESH),
    "a parameter": (
        write("params.yaml", "a: {times: 3}\nb: {unit: line}\n"),
        (Planned("one", "run", ("parameter a.times: 2 → 3",)), MAY_DIFFER),
    ),
    "a comment beside a parameter": (
        write("params.yaml", "a: {times: 2}  # other\nb: {unit: line}\n"),
        FRESH,
    ),
    "a parameter of the second": (
        write("params.yaml", "a: {times: 2}\nb: {unit: word}\n"),
        (FRESH[0], Planned("two", "run", ("parameter b.unit: line → word",))),
    ),
    "a parameter that is null now": (
        write("params.yaml", "a: {times: 2, more: null}\nb: {unit: line}\n"),
        (Planned("one", "run", ("parameter a.more: nothing → null",)), MAY_DIFFER),
    ),
    "an output that dvc.yaml names since": (
        lambda folder: write(
            "dvc.yaml", (folder / "dvc.yaml").read_text() + "    - out/three.txt\n"
        )(folder),
        (FRESH[0], Planned("two", "run", ("out/three.txt is new",))),
    ),
    "a library that counts": (
        write("versions.yaml", "torch: 1.5\nrich: 2.0\n"),
        (Planned("one", "run", ("library torch: 1.0 → 1.5",)), MAY_DIFFER),
    ),
    "a library that does not": (write("versions.yaml", "torch: 1.0\nrich: 3.0\n"), FRESH),
    "a module": (
        write("code/m.py", "x = 2\n"),
        (Planned("one", "run", ("code/m.py changed",)), MAY_DIFFER),
    ),
    "a new module": (
        write("code/n.py", "x = 2\n"),
        (Planned("one", "run", ("code/n.py changed",)), MAY_DIFFER),
    ),
    "a file that nothing reads": (write("other.py", "x = 2\n"), FRESH),
    "a byte of the data": (
        write("data/in/text", "hallo\n"),
        (Planned("one", "run", ("data/in/text changed",)), MAY_DIFFER),
    ),
    "an output that is gone": (
        remove("out/one"),
        (Planned("one", "restore", ("out/one is missing",), from_lock=True), FRESH[1]),
    ),
    "an output that was altered": (
        write("out/two.txt", "7\n"),
        (FRESH[0], Planned("two", "restore", ("out/two.txt was altered",), from_lock=True)),
    ),
    "an output that is gone from the cache too": (
        lambda folder: (remove("out/two.txt")(folder), shutil.rmtree(folder / ".dvc/cache/files")),
        (FRESH[0], Planned("two", "run", ("out/two.txt is missing",))),
    ),
    "the command": (
        lambda folder: write(
            "dvc.yaml", (folder / "dvc.yaml").read_text().replace("python two", "python -B two")
        )(folder),
        (FRESH[0], Planned("two", "run", ("its command changed",))),
    ),
    "a lock that is gone": (
        remove("dvc.lock"),
        (
            Planned("one", "restore", ("no result yet",)),
            Planned("two", "restore", ("no result yet",)),
        ),
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_has_its_cause(toy: Path, change: str) -> None:
    remember_files(toy / "state", read_graph(toy))
    edit, expected = CHANGES[change]
    edit(toy)
    assert planned(toy) == expected


ALLOWED = {
    "up to date": {"skipped"},
    "restore": {"restored"},
    "run": {"ran"},
    "run if": {"ran", "skipped"},
}


@pytest.mark.parametrize("change", ["a parameter of the second", "a module", "a lock that is gone"])
def test_what_runs_is_what_was_said(toy: Path, change: str) -> None:
    edit, expected = CHANGES[change]
    edit(toy)
    place = Place(toy, toy / "state")
    for one in expected:
        assert reproduce(place, one.stage, print) in ALLOWED[one.action], one


def test_going_back_is_restored_and_stages_after_it_are_too(toy: Path) -> None:
    before = (toy / "params.yaml").read_text()
    write("params.yaml", "a: {times: 3}\nb: {unit: line}\n")(toy)
    place = Place(toy, toy / "state")
    assert [reproduce(place, name, print) for name in ("one", "two")] == ["ran", "ran"]
    write("params.yaml", before)(toy)
    assert planned(toy) == (
        Planned("one", "restore", ("parameter a.times: 3 → 2",)),
        Planned("two", "restore", ("out/one changed",)),
    )
    assert [reproduce(place, name, print) for name in ("one", "two")] == ["restored", "restored"]
    assert planned(toy) == FRESH


def test_planning_writes_nothing_that_git_or_dvc_tracks(toy: Path) -> None:
    def files() -> dict[str, bytes]:
        ignored = (toy / ".dvc" / "tmp", toy / "state")
        return {
            str(path): path.read_bytes()
            for path in toy.rglob("*")
            if path.is_file() and not any(path.is_relative_to(one) for one in ignored)
        }

    before = files()
    remember_files(toy / "state", read_graph(toy))
    planned(toy)
    assert files() == before
