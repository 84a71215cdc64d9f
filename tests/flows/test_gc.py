"""`seqline gc` says first what goes, and keeps what any commit names."""

import subprocess
from pathlib import Path

import pytest
import typer

from flows.commands.gc import gc
from flows.walk import Place, reproduce


def git(*arguments: str) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run(["git", *author, *arguments], check=True, capture_output=True)


def make(toy: Path, times: int) -> set[Path]:
    """Run with this parameter; the files that DVC holds then."""
    (toy / "params.yaml").write_text(f"a: {{times: {times}}}\nb: {{unit: line}}\n")
    for stage in ("one", "two"):
        reproduce(Place(toy, toy / "state"), stage, print)
    return held(toy)


def held(toy: Path) -> set[Path]:
    return {path for path in (toy / ".dvc/cache/files").rglob("*") if path.is_file()}


def state(toy: Path, key: str, *, finished: bool) -> Path:
    folder = toy / "state" / key
    (folder / "finished" if finished else folder / "checkpoints").mkdir(parents=True)
    (folder / "record.json").write_text("{}")
    return folder


@pytest.fixture
def committed(toy: Path) -> tuple[set[Path], set[Path]]:
    """Results of two commits, and of none; today's are the first's."""
    git("add", ".")
    git("commit", "-qm", "Two times")
    kept = make(toy, 3)
    git("commit", "-qam", "Three times")
    gone = make(toy, 4) - kept
    git("checkout", "-q", "HEAD~1", "--", ".")
    assert gone
    return kept, gone


def test_results_of_every_commit_stay_and_others_go_after_they_were_named(
    toy: Path, committed: tuple[set[Path], set[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    kept, gone = committed
    capsys.readouterr()
    gc(yes=True)
    said = capsys.readouterr().out
    assert said.startswith("results of no commit: ")
    assert f"{len(gone)} objects" in said
    assert "freed 0.0 MiB" in said
    assert held(toy) == kept


def test_state_of_trainings_before_the_present_one_goes_and_unfinished_ones_are_called_so(
    toy: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = [state(toy, name, finished=name != "b") for name in ("a", "b", "present")]
    (toy / "state/current.json").write_text('{"run_key": "present"}')
    asked: list[str] = []
    monkeypatch.setattr(typer, "confirm", asked.append)  # which answers no
    gc(yes=False)
    lines = capsys.readouterr().out.splitlines()
    assert asked == ["delete this?"]
    assert [line.split(" (")[0] for line in lines if line.startswith("state")] == [
        "state of a former training: state/a",
        "state of an unfinished training: state/b",
    ]
    assert all(folder.is_dir() for folder in folders)
    gc(yes=True)
    assert [folder.is_dir() for folder in folders] == [False, False, True]
