"""List files past 250 lines and functions past 60: a question about their design, not an error."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FILE_LINES = 250
FUNCTION_LINES = 60


def main() -> None:
    """Print what is long."""
    for folder in ("pipeline", "flows"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for line in long_parts(path):
                print(line)


def long_parts(path: Path) -> Iterator[str]:
    """A line of print for the file, and for each function in it, that is long."""
    text = path.read_text()
    name = path.relative_to(ROOT).as_posix()
    if text.count("\n") > FILE_LINES:
        yield f"long file: {name}, {text.count(chr(10))} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES:
                yield f"long function: {name}:{node.lineno} {node.name}, {lines} lines"


if __name__ == "__main__":
    main()
