"""What the flow knows of the stage that trains: its steps, its finished key, its progress."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import PositiveInt

from flows import child
from flows.graph import Graph, read_graph
from flows.plan import Planned
from flows.screen import screen
from flows.talk import say
from flows.walk import Place
from pipeline.files import read_json
from pipeline.problems import Problem
from pipeline.registry.server import Server
from pipeline.settings import Settings, parse, read_yaml

TRAIN = "train"
SEED = (
    "from pathlib import Path; from pipeline.training.finished import seed; import sys;"
    "sys.exit(0 if seed(Path('artifacts/model'), Path('artifacts/curves.csv'), Path(sys.argv[1]))"
    " else 3)"
)


class Length(Settings):
    """What the forecast looks at in the section `training`."""

    steps: PositiveInt


def train_steps(stage: str) -> int | None:
    """The steps of training, by which its time grows; None for other stages."""
    if stage != TRAIN:
        return None
    steps = read_yaml(Path("params.yaml"))["training"].get("steps")
    return parse(Length, {"steps": steps}, "params.yaml, training").steps


def seed_finished(place: Place, plan: Sequence[Planned]) -> None:
    """Let training find its finished key in pulled outs, before DVC deletes them."""
    planned = next((one for one in plan if one.stage == TRAIN), None)
    if planned is None or planned.action == "up to date" or not _as_locked(read_graph(place.root)):
        return
    key = read_json(place.root / "artifacts" / "model" / "run.json")["run_key"]
    if (place.state / key).exists():
        return
    lines: list[str] = []
    command = ["python", "-c", SEED, str(place.state)]
    if child.run(command, lines.append, cwd=place.root) == 0:
        say("training's state was restored from its results")


def _as_locked(graph: Graph) -> bool:
    """Are training's results those that dvc.lock names? Altered ones are nobody's."""
    outputs = [out for node in graph.nodes if node.name == TRAIN for out in node.outputs]
    return all(out.locked and out.now == out.locked for out in outputs)


@contextmanager
def followed(server: Server, planned: Planned) -> Generator[None, None, None]:
    """While a training runs, show its progress and send it to MLflow, which may fail."""
    if planned.stage != TRAIN or planned.action == "up to date":
        yield
        return
    stop = threading.Event()
    thread = threading.Thread(target=_watch, args=(server, stop), daemon=True)
    thread.start()
    try:
        with screen(server.state):
            yield
    finally:
        stop.set()
        thread.join(timeout=30)


def _watch(server: Server, stop: threading.Event) -> None:
    from pipeline.registry.runs import watch

    try:
        watch(server, stop)
    except Problem as problem:
        say(f"progress is not followed any more: {problem}")
