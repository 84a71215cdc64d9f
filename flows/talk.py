"""What people see: short lines and plain tables."""

from collections.abc import Iterable, Mapping
from typing import Literal

from rich.console import Console
from rich.table import Table

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


def table(rows: Iterable[Mapping[str, str]], title: str = "") -> None:
    """Rows with the same keys as a table; nothing where there are none."""
    rows = list(rows)
    if not rows:
        return
    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False)
    for name in rows[0]:
        shown.add_column(name, overflow="fold", justify=_side(row[name] for row in rows))
    for row in rows:
        shown.add_row(*row.values())
    OUT.print(shown, markup=False)


def _side(values: Iterable[str]) -> Literal["left", "right"]:
    filled = [value for value in values if value]
    return "right" if filled and all(value[0].isdigit() for value in filled) else "left"
