"""What a benchmark measured: rows of one table, printed as they come and written as JSON."""

import argparse
import json
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def print_row(row: Row, *, first: bool) -> None:
    """A line of a Markdown table; above the first one, the names of the columns."""
    if first:
        print("| " + " | ".join(name.replace("_", " ") for name in row) + " |")
        print("|" + "---|" * len(row))
    print("| " + " | ".join(map(str, row.values())) + " |", flush=True)


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", type=Path, help="write the rows of the table to this file")


def write(rows: list[Row], path: Path | None) -> None:
    """Where a file was asked for."""
    if path:
        path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")
