"""Kill-anywhere: runs that are killed at random moments and run again end at the same bits.

    python benchmarks/kill_anywhere.py [--runs 30] [--seed 1] [--plain] [--kills 3] [--json FILE]

Each run (victim.py) is killed by SIGKILL up to `--kills` times: a worker, the driver or, on Ray,
the controller; while steps are taken, while a checkpoint is written, or while it validates. Then it
is run again, until it is done. Its weights and training state have to be those of the undisturbed
run, to the bit, and every checkpoint has to be readable whenever it is looked for. The seed, which
is printed, gives the same choices again; the moment itself is the machine's. `--plain` joins the
workers by gloo without Ray, which starts them faster. Exit code 1 where any run differs.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch._dynamo  # what an optimizer imports in its first step: once, not in every fork
from tables import Row, add_json, print_row, write_rows
from victim import STEPS, UNDONE, drive_plainly, forked, lay_out

from pipeline.problems import Problem
from pipeline.training.checkpoint import every, load
from pipeline.training.progress import read

SLOTS = STEPS + UNDONE  # of the first worker, at least
VALIDATIONS = 4
TITLES = {"worker": "ray::RayTrainWorker", "controller": "ray::TrainController"}
PATIENCE = 600.0  # seconds for anything that a run does


@dataclass(frozen=True)
class Kill:
    """Whom to kill, and when: so many marks or writings after the start, and a moment later."""

    whom: str  # worker, driver, controller
    phase: str  # steps, saving, validation
    count: int
    later: float  # seconds


def main() -> int:
    arguments = parse_arguments()
    print(f"seed {arguments.seed}", flush=True)
    torch.set_num_threads(1)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        undisturbed = Path(name) / "undisturbed"
        lay_out(undisturbed)
        assert finished(start(undisturbed, plain=arguments.plain), undisturbed)
        for number in range(1, arguments.runs + 1):
            folder = Path(name) / f"run-{number}"
            lay_out(folder)
            chance = random.Random(f"{arguments.seed} {number}")
            row = {"run": number, **disturbed(folder, chance, arguments)}
            row["same_bits"] = same(folder, undisturbed)
            rows.append(row)
            print_row(row, first=number == 1)
    write_rows(arguments.json, rows)
    return int(not all(row["same_bits"] and not row["unreadable"] for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3, help="at most, of a run")
    parser.add_argument("--plain", action="store_true", help="workers joined by gloo, without Ray")
    add_json(parser)
    return parser.parse_args()


def disturbed(folder: Path, chance: random.Random, arguments: argparse.Namespace) -> Row:
    """Kill a run so often, and run it to its end; what was done to it, and what was found."""
    done: list[tuple[str, float]] = []
    starts, process = 1, start(folder, plain=arguments.plain)
    for _ in range(chance.randint(1, arguments.kills)):
        kill = drawn(chance, plain=arguments.plain)
        if not struck(kill, process, folder, plain=arguments.plain):
            break  # it was done before the moment came
        done.append((f"{kill.whom} in {kill.phase}", time.time()))
        if not ends(process, folder, survives=not arguments.plain and kill.whom != "driver"):
            continue
        starts, process = starts + 1, start(folder, plain=arguments.plain)
    while not finished(process, folder):
        starts, process = starts + 1, start(folder, plain=arguments.plain)
    return {
        "kills": ", ".join(what for what, _ in done),
        "starts": starts,
        "recovery_seconds": recovery(folder, [when for _, when in done]),
        "unreadable": unreadable(folder),
    }


def recovery(folder: Path, kills: list[float]) -> float:
    """The longest time from a kill until the run had taken over a checkpoint, and went on."""
    begun = [one.time for one in read(folder / "state") if one.note in ("resumed", "started")]
    waits = [
        min((moment for moment in begun if moment > kill), default=kill) - kill for kill in kills
    ]
    return round(max(waits, default=0.0), 1)


def drawn(chance: random.Random, *, plain: bool) -> Kill:
    whom = chance.choice(["worker", "driver"] if plain else ["worker", "driver", "controller"])
    phase = chance.choice(["steps", "saving", "validation"])
    most = {"steps": SLOTS, "saving": 2, "validation": VALIDATIONS}[phase]
    return Kill(whom, phase, chance.randint(1, most), chance.uniform(0, 0.02))


def start(folder: Path, *, plain: bool) -> int:
    """Start a run, or go on with it; its driver's process id."""
    (folder / "marks").write_text("")
    return forked(lambda: driven(folder, plain=plain))


def driven(folder: Path, *, plain: bool) -> None:
    """In a fork: become the driver, whose prints are kept."""
    printed = os.open(folder / "printed", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(printed, stream)
    if plain:
        drive_plainly(folder)
    else:
        victim = str(Path(__file__).with_name("victim.py"))
        os.execv(sys.executable, [sys.executable, victim, str(folder)])


def struck(kill: Kill, driver: int, folder: Path, *, plain: bool) -> bool:
    """Wait for the moment and kill; False where the run ended before."""
    passed, seen = 0, set[str]()
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if gone(driver):
            return False
        marks = (folder / "marks").read_text()
        if kill.phase == "saving":
            seen |= {path.name for path in (folder / "state/checkpoints").glob(".*.tmp")}
            passed = len(seen)
        else:
            passed = marks.count("v" if kill.phase == "validation" else "s")
        if passed >= kill.count:
            time.sleep(kill.later)
            return killed(kill.whom, driver, plain=plain)
        time.sleep(0.004)
    raise SystemExit(f"{folder}: nothing happens")


def killed(whom: str, driver: int, *, plain: bool) -> bool:
    """Kill the driver, one of its workers, or its controller."""
    found = [driver]
    if whom != "driver":
        below = descendants(driver)
        found = sorted(pid for pid, title in below.items() if plain or TITLES[whom] in title)
    try:
        os.kill(found[len(found) // 2], signal.SIGKILL)
    except (IndexError, ProcessLookupError):  # it has ended by itself
        return False
    return True


def descendants(pid: int) -> dict[int, str]:
    """Numbers and titles of the processes below `pid`."""
    parents: dict[int, int] = {}
    titles: dict[int, str] = {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            fields = (path / "stat").read_text().rsplit(")", 1)[1].split()
            titles[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        parents[int(path.name)] = int(fields[1])
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return {child: titles[child] for child in below - {pid} if child in titles}


def gone(pid: int) -> bool:
    """Has a child of ours ended? It is not yet waited for."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def ends(driver: int, folder: Path, *, survives: bool) -> bool:
    """Does a driver end after a kill? On Ray it may start a new team instead, which takes steps."""
    (folder / "marks").write_text("")
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if gone(driver):
            os.waitpid(driver, 0)
            return True
        if survives and "s" in (folder / "marks").read_text():
            return False
        time.sleep(0.01)
    raise SystemExit(f"{folder}: nothing happens after a kill")


def finished(driver: int, folder: Path) -> bool:
    """Wait for the end of a run; is its result there?"""
    os.waitpid(driver, 0)
    return (folder / "result.json").exists()


def unreadable(folder: Path) -> int:
    """Checkpoints that a run set aside, or that do not load now."""
    bad = sum("torn-" in record.note for record in read(folder / "state"))
    for path in every(folder / "state/checkpoints"):
        try:
            load(path)
        except Problem:
            bad += 1
    return bad


def same(folder: Path, other: Path) -> bool:
    """Are weights and training state those of the other run, to the bit?"""
    names = ("result/weights.safetensors", "result.json")
    return all((folder / name).read_bytes() == (other / name).read_bytes() for name in names)


if __name__ == "__main__":
    raise SystemExit(main())
