"""What people see: short lines and plain tables."""

from collections.abc import Iterable, Mapping
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

OUT = Console(highlight=False, soft_wrap=True)
ERR = Console(highlight=False, soft_wrap=True, stderr=True)


def say(line: str) -> None:
    """One line of ours."""
    OUT.print(line, markup=False)


def warn(line: str) -> None:
    """One line beside the output, on stderr."""
    ERR.print(line, markup=False)


def heading(line: str) -> None:
    """A line that stands out."""
    OUT.print(line, markup=False, style="bold")


def table(rows: Iterable[Mapping[str, str]]) -> None:
    """Rows with the same keys as a table, without columns that are empty; nothing for no rows."""
    rows = list(rows)
    if not rows:
        return
    shown = Table(box=None, pad_edge=False)
    filled = [name for name in rows[0] if any(row[name] for row in rows)]
    for name in filled:
        shown.add_column(name, overflow="fold", justify=_side(row[name] for row in rows))
    for row in rows:
        shown.add_row(*(Text(row[name]) for name in filled))
    OUT.print(shown)


def _side(values: Iterable[str]) -> Literal["left", "right"]:
    filled = [value for value in values if value]
    return "right" if filled and all(value[0].isdigit() for value in filled) else "left"
