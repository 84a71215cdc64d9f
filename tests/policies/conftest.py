"""What the policies read: the graph, and for each stage the modules that its code can import.

A stage's *closure* is found without running anything: from its module on, every import, those
inside functions too, and every string that is the full name of one of our modules (code that is
shipped rather than imported). An import of a submodule runs the `__init__` of its folder, so the
tables of members, and with them all members, are part of it.
"""

import ast
import functools
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
MODULE_NAME = re.compile(r"pipeline(\.[a-z_0-9]+)+")


@dataclass(frozen=True)
class Closure:
    """What a stage's code can import: our files, and the names of others' packages."""

    files: frozenset[str]
    libraries: frozenset[str]

    def rooms(self) -> set[str]:
        """The files as dvc.yaml names them: rooms as folders, else single modules."""
        return {room(file) for file in self.files}


def room(file: str) -> str:
    """`pipeline/models/gru.py` → `pipeline/models`; single modules and stages stay files."""
    parts = Path(file).parts
    return "/".join(parts[:2]) if len(parts) > 2 and parts[1] != "stages" else file


def file_of(module: str) -> str | None:
    """A module of ours as a path from the root; None for what is no module of ours."""
    stem = ROOT.joinpath(*module.split("."))
    for path in (stem / "__init__.py", stem.with_suffix(".py")):
        if path.is_file():
            return path.relative_to(ROOT).as_posix()
    return None


@functools.cache
def imported(file: str) -> frozenset[str]:
    """Full names that a file's code mentions: imported modules (perhaps with a name inside)."""
    package = file.removesuffix("/__init__.py").removesuffix(".py").replace("/", ".")
    found: set[str] = set()
    for node in nodes(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            assert node.level == 0, f"{package}: imports are written in full"
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Assign) and "PINNED" in map(ast.unparse, node.targets):
            found |= set(ast.literal_eval(node.value))  # libraries that are named, not imported
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} if MODULE_NAME.fullmatch(node.value) else set()
    return frozenset(found)


def nodes(tree: ast.AST) -> list[ast.AST]:
    """All nodes that run: without `if TYPE_CHECKING:` blocks and docstrings."""
    found: list[ast.AST] = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found += [node, *nodes(node)]
    return found


def runs(file: str) -> bool:
    """A module that only holds a docstring runs nothing, so nothing can depend on it."""
    return bool(nodes(ast.parse((ROOT / file).read_text())))


@functools.cache
def closure(module: str) -> Closure:
    """Everything that the import of `module` can bring in."""
    files: set[str] = set()
    libraries: set[str] = set()
    open_names = [module]
    while open_names:
        name = open_names.pop()
        for part in parents(name):
            file = file_of(part)
            if file is None and part.split(".")[0] not in {"pipeline", "flows"}:
                libraries.add(part.split(".")[0])
            elif file is not None and file not in files:
                files.add(file)
                open_names += imported(file)
    return Closure(frozenset(file for file in files if runs(file)), frozenset(libraries))


def parents(name: str) -> list[str]:
    """`a.b.c` → `a`, `a.b`, `a.b.c`: an import runs all of them."""
    parts = name.split(".")
    return [".".join(parts[: n + 1]) for n in range(len(parts))] if name else []


@pytest.fixture(scope="session")
def closures():
    """Stage → its closure."""
    graph = yaml.safe_load((ROOT / "dvc.yaml").read_text())
    return {stage: closure(f"pipeline.stages.{stage}") for stage in graph["stages"]}


@pytest.fixture
def graph():
    """The stages of dvc.yaml, freshly read: a test may change them."""
    return yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.fixture(scope="session")
def tracked():
    """Every file that git tracks."""
    import subprocess

    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return sorted(name for name in listing.split("\0") if (ROOT / name).is_file())


@pytest.fixture(scope="session")
def generator(root):
    """docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", root / "docs/generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
