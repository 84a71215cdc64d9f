"""The modules that travel with a model: the predictor and all that it imports, renamed.

Nothing is imported to find out: the sources are parsed. In the copies `pipeline` becomes the
package's own name, which is derived from the digest of the code, so that two packages live side by
side in one process, and neither ever finds a checkout.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pipeline
from pipeline.files import digest
from pipeline.syntax import syntax_digest

ROOT = "pipeline"
ENTRY = "pipeline.package.predictor"  # a name, not an import: writing a package needs no torch


@dataclass(frozen=True, slots=True)
class Closure:
    """Source files by path relative to the root package, and the libraries that they import."""

    sources: Mapping[str, str]
    libraries: frozenset[str]
    digest: str  # of what the code does: comments and docstrings count for nothing

    @property
    def name(self) -> str:
        """The package name of the copies."""
        return f"seqline_{self.digest[:12]}"

    def renamed(self) -> dict[str, str]:
        """The sources as they travel."""
        return {path: _renamed(text, self.name) for path, text in self.sources.items()}


def closure(entry: str = ENTRY) -> Closure:
    """Everything of ours that the import of `entry` can bring in, imports in functions included."""
    folder = Path(pipeline.__file__).parent
    sources: dict[str, str] = {}
    libraries: set[str] = set()
    names = [entry]
    while names:
        for name in _parents(names.pop()):
            top = name.split(".")[0]
            path = _path(folder, name)
            if top != ROOT:
                libraries |= set() if top in sys.stdlib_module_names else {top}
            elif path is not None and path not in sources:
                sources[path] = (folder / path).read_text(encoding="utf-8")
                names += _imported(sources[path])
    trees = {path: syntax_digest(text) for path, text in sources.items()}
    return Closure(dict(sorted(sources.items())), frozenset(libraries), digest(trees))


def _parents(name: str) -> Iterator[str]:
    """`a.b.c` → `a`, `a.b`, `a.b.c`: an import runs all of them."""
    parts = name.split(".")
    yield from (".".join(parts[: n + 1]) for n in range(len(parts)))


def _path(folder: Path, name: str) -> str | None:
    """A module's file below the root package; None for a name inside a module."""
    stem = Path(*name.split(".")[1:])
    for path in (stem / "__init__.py", stem.with_suffix(".py") if stem.name else stem):
        if (folder / path).is_file():
            return path.as_posix()
    return None


def _imported(source: str) -> Iterator[str]:
    """Full names that are imported: modules, perhaps with a name inside."""
    for node in _running(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are written in full"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those below `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test)):
            yield node
            yield from _running(node)


def _renamed(source: str, name: str) -> str:
    """The source with its imports of our modules under another name."""
    lines = source.splitlines(keepends=True)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == ROOT:
            line = node.lineno - 1
            start, rest = lines[line][: node.col_offset], lines[line][node.col_offset :]
            lines[line] = start + re.sub(rf"^from\s+{ROOT}\b", f"from {name}", rest, count=1)
        elif isinstance(node, ast.Import):
            assert all(alias.name.split(".")[0] != ROOT for alias in node.names), (
                "a module that travels imports with `from pipeline…`, so that it can be renamed"
            )
    return "".join(lines)
