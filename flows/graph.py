"""The graph as DVC sees it, as plain data: the only file that touches DVC's own API.

    dvc.yaml, dvc.lock, workspace, .dvc/cache ─► Graph(nodes in order)

Reading it writes nothing that git or DVC tracks.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.problems import Problem
from pipeline.settings import read_yaml

Values = Mapping[str, Mapping[str, Any]]  # file → key → value


@dataclass(frozen=True, slots=True)
class Input:
    """A file or folder that a stage depends on; digests are DVC's, None where there is none."""

    path: str
    now: str | None
    locked: str | None
    files: Mapping[str, str]  # of a folder, as it is now: name → digest


@dataclass(frozen=True, slots=True)
class Output:
    """A file or folder that a stage makes."""

    path: str
    now: str | None
    locked: str | None
    cached: bool  # what is locked can be brought back


@dataclass(frozen=True, slots=True)
class Node:
    """A stage: what dvc.yaml says, what dvc.lock remembers, what is there."""

    name: str
    command: str
    locked: bool  # dvc.lock has an entry
    same_command: bool
    inputs: tuple[Input, ...]
    params: Values
    locked_params: Values
    outputs: tuple[Output, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Data under DVC that no stage makes: a corpus, a package to start from."""

    path: str
    changed: bool  # differs from its .dvc file


@dataclass(frozen=True, slots=True)
class Graph:
    """The stages in the order in which they run, the sources, and where DVC keeps results."""

    nodes: tuple[Node, ...]
    sources: tuple[Source, ...]
    cache: Path

    def remembered(self, node: Node, digests: Mapping[str, str]) -> dict[str, str] | None:
        """The outputs (path → digest) of an earlier run on these inputs, if all are cached."""
        folder = self.cache / "runs" / (key := _run_key(node, digests))[:2] / key
        entries = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)
        if not entries:
            return None
        outs = {out["path"]: out["md5"] for out in read_yaml(entries[-1])["outs"]}
        return outs if all(is_cached(self.cache, digest) for digest in outs.values()) else None

    def files_of(self, digest: str) -> dict[str, str] | None:
        """The files (name → digest) of a folder whose tree is in DVC's cache."""
        path = _object(self.cache, digest)
        if not digest.endswith(".dir") or not path.is_file():
            return None
        return {entry["relpath"]: entry["md5"] for entry in json.loads(path.read_bytes())}


def read_graph(folder: Path) -> Graph:
    """The graph of a workspace; a Problem where DVC cannot read it."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    try:
        repo = Repo(str(folder))
        stages = list(_ordered(repo))
        cache = Path(repo.cache.legacy.path)
        nodes = tuple(_node(stage, repo, cache) for stage in stages if stage.cmd)
        sources = tuple(_source(stage) for stage in repo.index.stages if not stage.cmd)
    except DvcException as error:
        raise Problem(_said(error), where=str(folder / "dvc.yaml")) from None
    return Graph(nodes, sources, cache)


def is_cached(cache: Path, digest: str) -> bool:
    """Is a file, or a folder with all its files, in DVC's cache?"""
    path = _object(cache, digest)
    if not path.is_file():
        return False
    if not digest.endswith(".dir"):
        return True
    return all(is_cached(cache, entry["md5"]) for entry in json.loads(path.read_bytes()))


def _object(cache: Path, digest: str) -> Path:
    return cache / "files" / "md5" / digest[:2] / digest[2:]


def _ordered(repo: Any) -> Iterator[Any]:
    """The stages so that each comes after those that it depends on, else as dvc.yaml has them."""
    graph = repo.index.graph  # an edge a → b: a depends on b
    waiting = [stage for stage in repo.index.stages if stage.cmd]
    done: set[Any] = set()
    while waiting:
        ready = next(
            stage
            for stage in waiting
            if all(other in done or not other.cmd for other in graph.successors(stage))
        )
        waiting.remove(ready)
        done.add(ready)
        yield ready


def _node(stage: Any, repo: Any, cache: Path) -> Node:
    from dvc.dependency.param import ParamsDependency

    params: list[Any] = [dep for dep in stage.deps if isinstance(dep, ParamsDependency)]
    files: list[Any] = [dep for dep in stage.deps if not isinstance(dep, ParamsDependency)]
    return Node(
        name=stage.addressing,
        command=stage.cmd,
        locked=any(out.hash_info for out in stage.outs),
        same_command=not stage.cmd_changed,
        inputs=tuple(_input(dep, repo) for dep in sorted(files, key=_path)),
        params={_path(dep): dep.read_params() for dep in params},
        locked_params={_path(dep): dict(dep.hash_info.value or {}) for dep in params},
        outputs=tuple(_output(out, repo, cache) for out in sorted(stage.outs, key=_path)),
    )


def _path(item: Any) -> str:
    return item.def_path


def _input(dep: Any, repo: Any) -> Input:
    now, files = _digest(dep, repo)
    return Input(_path(dep), now, dep.hash_info.value or None, files)


def _output(out: Any, repo: Any, cache: Path) -> Output:
    locked = out.hash_info.value or None
    return Output(
        _path(out), _digest(out, repo)[0], locked, bool(locked) and is_cached(cache, locked)
    )


def _source(stage: Any) -> Source:
    out = stage.outs[0]
    return Source(Path(out.fs_path).relative_to(stage.repo.root_dir).as_posix(), bool(out.status()))


def _digest(item: Any, repo: Any) -> tuple[str | None, dict[str, str]]:
    """DVC's digest of a file or folder as it is now, and the folder's files."""
    from dvc_data.hashfile.build import build

    if not item.exists:
        return None, {}
    _, _, found = build(
        repo.cache.local, item.fs_path, item.fs, "md5", ignore=repo.dvcignore, dry_run=True
    )
    tree: Any = found  # a file, or a folder's tree
    digest: str = tree.hash_info.value
    if not digest.endswith(".dir"):
        return digest, {}
    return digest, {"/".join(key): info.value for key, (_, info) in tree.as_dict().items()}


def _run_key(node: Node, digests: Mapping[str, str]) -> str:
    """The name of a run in DVC's run-cache: its command, inputs and parameters."""
    from dvc.utils import dict_sha256

    entry: dict[str, Any] = {
        "cmd": node.command,
        "deps": [{"path": p, "hash": "md5", "md5": digests[p]} for p in sorted(digests)],
        "outs": [out.path for out in node.outputs],
    }
    if node.params:
        entry["params"] = {path: dict(values) for path, values in node.params.items()}
    return dict_sha256(entry, exclude=["size", "nfiles"])


def _said(error: Exception) -> str:
    """What DVC says, with what caused it, on one line each."""
    parts: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        parts.append(str(cause).strip())
        cause = cause.__cause__
    return "\n  ".join(dict.fromkeys(part for part in parts if part))
