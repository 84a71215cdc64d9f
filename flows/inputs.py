"""What a run reads beside its corpora: sections of params.yaml, files, libraries."""

import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

from flows.graph import Graph
from pipeline.choose import nearest
from pipeline.problems import Problem
from pipeline.settings import read_yaml

PARAMS = Path("params.yaml")
VERSIONS = Path("versions.yaml")
OUTSIDE = ("registry", "gate")  # sections of params.yaml that no stage reads


def check_sections() -> None:
    """Each section that is read is there and has keys; none is there that nobody reads."""
    found = {str(name): section for name, section in read_yaml(PARAMS).items()}
    read = {key.split(".")[0] for key in wanted(PARAMS)} | {*OUTSIDE}
    for name in sorted({*found} - read):
        raise Problem(
            "unknown parameter",
            where=f"{PARAMS}, {name}",
            value=found[name],
            remedy=nearest(name, read),
        )
    for name in sorted(read - {*found}):
        raise Problem(
            f"section '{name}' is missing", where=str(PARAMS), remedy=f"add it: git diff {PARAMS}"
        )
    for name, section in found.items():
        if not isinstance(section, dict):
            raise Problem(
                "expected keys and values",
                where=f"{PARAMS}, {name}",
                value=section,
                remedy="see docs/parameters.md",
            )


def wanted(path: Path) -> Iterator[str]:
    """The keys of a params file that dvc.yaml names."""
    for stage in read_yaml(Path("dvc.yaml")).get("stages", {}).values():
        for entry in stage.get("params", ()):
            if isinstance(entry, str):
                yield from (entry,) if path == PARAMS else ()
            else:
                yield from entry.get(path.as_posix(), ())


def check_dependencies(graph: Graph) -> None:
    """Every file and folder is there that no stage makes."""
    made = [out.path for node in graph.nodes for out in node.outputs]
    for node in graph.nodes:
        for item in node.inputs:
            inside = any(item.path == out or item.path.startswith(f"{out}/") for out in made)
            if item.now is None and not inside:
                raise Problem(
                    f"file or folder not found, which stage '{node.name}' reads",
                    where=item.path,
                    remedy="put it there, or restore it: git checkout, dvc pull",
                )


def check_versions() -> None:
    """versions.yaml names every library that dvc.yaml asks for, and says what is installed."""
    versions = read_yaml(VERSIONS)
    for name in wanted(VERSIONS):
        if name not in versions:
            raise Problem(f"library '{name}' is missing", where=str(VERSIONS), remedy="make lock")
    for name, version in versions.items():
        installed = _installed(name)
        if installed != str(version):
            raise Problem(
                f"{name} {version} is expected, installed is {installed or 'none'}",
                where=str(VERSIONS),
                remedy="make clean, then make run: installs the lock again",
            )


def _installed(name: str) -> str | None:
    """The installed version of a library, without its build."""
    try:
        return importlib.metadata.version(name).split("+")[0]
    except importlib.metadata.PackageNotFoundError:
        return None
