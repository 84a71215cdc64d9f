"""Tables as benchmarks print them, a row at a time, and write them with `--json`."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def print_row(row: Row, *, first: bool) -> None:
    """A row of Markdown, at once; the first under its headings. Lists are for the file alone."""
    shown = {name: value for name, value in row.items() if not isinstance(value, list)}
    if first:
        print("| " + " | ".join(name.replace("_", " ") for name in shown) + " |")
        print("|" + "---|" * len(shown))
    print("| " + " | ".join(str(value) for value in shown.values()) + " |", flush=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="write the rows of the table to this file")


def write_rows(path: Path | None, rows: Sequence[Row]) -> None:
    """The rows as JSON, where a file was asked for."""
    if path:
        path.write_text(json.dumps(rows, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
