"""What a run would do, stage by stage, and why; found out without running or writing anything.

    encode    up to date
    train     run           parameter training.steps: 1800 → 2000
    decode    run if        artifacts/model may differ

A stage is restored when DVC remembers the same inputs. Where an earlier stage has to run first, its
result is not known yet: what depends on it alone is run if that result differs.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from flows.differences import differences, shown
from flows.graph import Graph, Input, Node

Action = Literal["up to date", "restore", "run", "run if"]
Files = Mapping[str, Mapping[str, str]]  # digest of a folder → name → digest


@dataclass(frozen=True, slots=True)
class Planned:
    """One stage's part of the plan."""

    stage: str
    action: Action
    causes: tuple[str, ...] = ()
    from_lock: bool = False  # restore: dvc.lock names the results, the run-cache need not


def make_plan(graph: Graph, known_files: Files | None = None) -> tuple[Planned, ...]:
    """The plan of a run. `known_files`: of folders that DVC does not keep, to name what changed."""
    made: dict[str, str | None] = {}  # output → digest after the run; None: not known yet
    steps: list[Planned] = []
    for node in graph.nodes:
        digests = {item.path: _expected(item, made) for item in node.inputs}
        step, outs = _planned(graph, node, digests, known_files or {})
        steps.append(step)
        made.update(outs)
    return tuple(steps)


def stale(steps: Sequence[Planned]) -> bool:
    """Does anything have to be run or restored?"""
    return any(step.action != "up to date" for step in steps)


def _expected(item: Input, made: Mapping[str, str | None]) -> str | None:
    """An input's digest when its stage's turn comes."""
    if item.path in made:
        return made[item.path]
    for output, digest in made.items():  # a part of what an earlier stage makes
        if item.path.startswith(output + "/"):
            return item.now if digest == item.locked else None
    return item.now


def _planned(
    graph: Graph, node: Node, digests: Mapping[str, str | None], known: Files
) -> tuple[Planned, dict[str, str | None]]:
    own = [*_own_causes(graph, node, digests, known)]
    unknown = [path for path, digest in digests.items() if digest is None]
    outs = dict.fromkeys([out.path for out in node.outputs])
    if unknown and not own:
        causes = tuple(f"{path} may differ" for path in unknown)
        return Planned(node.name, "run if", causes), outs
    if own and unknown:
        return Planned(node.name, "run", tuple(own)), outs
    if own:
        found = graph.remembered(node, {path: digest or "" for path, digest in digests.items()})
        if found:
            return Planned(node.name, "restore", tuple(own)), dict(found)
        return Planned(node.name, "run", tuple(own)), outs
    return _unchanged(node)


def _unchanged(node: Node) -> tuple[Planned, dict[str, str | None]]:
    """A stage whose inputs are those of its last run: are its outputs still there?"""
    gone = tuple(
        f"{out.path} {'is new' if not out.locked else 'was altered' if out.now else 'is missing'}"
        for out in node.outputs
        if not out.locked or out.now != out.locked
    )
    locked = {out.path: out.locked for out in node.outputs}
    if not gone:
        return Planned(node.name, "up to date"), locked
    if all(out.cached for out in node.outputs):
        return Planned(node.name, "restore", gone, from_lock=True), locked
    return Planned(node.name, "run", gone), dict.fromkeys(locked)


def _own_causes(
    graph: Graph, node: Node, digests: Mapping[str, str | None], known: Files
) -> Iterator[str]:
    """Why the stage's last result does not hold, as far as it is known already."""
    if not node.locked:
        yield "no result yet"
        return
    if not node.same_command:
        yield "its command changed"
    for path, values in node.params.items():
        for key, old, new in differences(node.locked_params.get(path, {}), values):
            kind = "library" if path == "versions.yaml" else "parameter"
            yield f"{kind} {key}: {shown(old)} → {shown(new)}"
    for item in node.inputs:
        digest = digests[item.path]
        if digest is not None and digest != item.locked:
            yield _changed(graph, item, digest, known)
        elif digest is None and item.now is None and item.path not in _made(graph):
            yield f"{item.path} is missing"


def _made(graph: Graph) -> set[str]:
    return {out.path for node in graph.nodes for out in node.outputs}


def _changed(graph: Graph, item: Input, digest: str, known: Files) -> str:
    """Names the files that changed, where the folder's former content is known."""
    before = graph.files_of(item.locked or "") or known.get(item.locked or "")
    kind = "module " if item.path.startswith(("pipeline/", "flows/")) else ""
    if digest != item.now or not before or not item.files:
        return f"{kind}{item.path} changed"
    names = sorted(
        name for name in {*before, *item.files} if before.get(name) != item.files.get(name)
    )
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return f"{kind}{', '.join(f'{item.path}/{name}' for name in names[:3])}{more} changed"
