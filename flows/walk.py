"""Run one stage through DVC, and bring its former results back when that fails.

DVC deletes a stage's outs before it runs. They are in its cache: after a failed or interrupted
stage they are checked out again; a mark under `state/flow` has the next command do so after a kill.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from flows import child
from pipeline.files import read_json, write_json
from pipeline.problems import Problem
from pipeline.workspace import clear_problem, read_problem

Outcome = Literal["skipped", "restored", "ran"]
Tell = Callable[[str], None]

# What DVC itself says while a stage runs; the rest is the stage's own.
NOISE = re.compile(
    r"Running stage |> |Updating lock file|Generating lock file|To track the changes|\s*git add"
    r"|Use `dvc push`|Data and pipelines are up to date|To enable auto staging"
    r"|\s*dvc config core.autostage|$"
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a stage runs: the workspace and its state folder."""

    root: Path
    state: Path

    @property
    def mark(self) -> Path:
        """The file that names the stage that is being run."""
        return self.state / "flow" / "running.json"

    def open_stage(self) -> str | None:
        """The stage that runs, or was killed; None also for a mark that cannot be read."""
        try:
            return str(read_json(self.mark)["stage"])
        except (Problem, KeyError, TypeError):
            return None


def reproduce(place: Place, stage: str, tell: Tell) -> Outcome:
    """`dvc repro --single-item STAGE`; a Problem with the stage's own message where it fails."""
    write_json(place.mark, {"stage": stage})
    clear_problem(place.state)
    lines: list[str] = []
    try:
        command = ["dvc", "repro", "--single-item", stage]
        code = child.run(command, _sieve(lines, tell), cwd=place.root, extra={"SEQLINE_FLOW": "1"})
        if code != 0:
            raise _failure(place, stage, code, lines)
    except BaseException:
        heal(place, tell)
        raise
    place.mark.unlink(missing_ok=True)
    return _outcome(lines)


def restore(place: Place, stage: str) -> None:
    """Check out what dvc.lock names as a stage's results: DVC itself would run the stage again."""
    lines: list[str] = []
    if child.run(["dvc", "checkout", "-f", stage], lines.append, cwd=place.root) != 0:
        raise Problem(
            f"the results of '{stage}' cannot be checked out: {_errors(lines)}",
            where="dvc.lock",
            remedy="dvc pull, or run the stage again: seqline run",
        )


def heal(place: Place, tell: Tell) -> None:
    """Bring back what a failed, interrupted or killed stage had made before."""
    stage = place.open_stage()
    if stage is not None and _has_results(place.root, stage):
        lines: list[str] = []
        code = child.run(["dvc", "checkout", "-f", stage], lines.append, cwd=place.root)
        back = "are back" if code == 0 else f"are not back: {_errors(lines)}"
        tell(f"the former results of '{stage}' {back}")
    place.mark.unlink(missing_ok=True)


def _has_results(root: Path, stage: str) -> bool:
    from pipeline.settings import read_yaml

    lock = root / "dvc.lock"
    return lock.is_file() and stage in read_yaml(lock).get("stages", {})


def _sieve(lines: list[str], tell: Tell) -> Tell:
    def take(line: str) -> None:
        lines.append(line)
        about_caching = re.match(r"Stage '.*' (didn't change|is cached)", line)
        if not (
            NOISE.match(line) or about_caching or line.startswith("ERROR: failed to reproduce")
        ):
            tell(line)

    return take


def _outcome(lines: list[str]) -> Outcome:
    text = "\n".join(lines)
    if re.search(r"^Stage '.*' didn't change, skipping", text, re.MULTILINE):
        return "skipped"
    if re.search(r"^Stage '.*' is cached - skipping run", text, re.MULTILINE):
        return "restored"
    return "ran"


def _failure(place: Place, stage: str, code: int, lines: list[str]) -> Problem:
    left = read_problem(place.state)
    if left and left["stage"] == stage:
        kind = "" if left["kind"] == "Problem" else f"{left['kind']}: "
        return Problem(
            f"stage '{stage}' failed: {kind}{left['message']}", retry=bool(left["retry"])
        )
    ended = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
    return Problem(f"stage '{stage}' failed: dvc {ended}: {_errors(lines)}", where="dvc repro")


def _errors(lines: list[str]) -> str:
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    return "\n  ".join(errors or lines[-3:]) or "no message"
