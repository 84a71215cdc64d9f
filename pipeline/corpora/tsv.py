"""TSV: one example a line, columns between tabs, no quoting.

Example (Tatoeba): "Ich habe keine Zeit.\\tI have no time." with `source: 1, target: 2`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow as pa
from pydantic import Field

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.choose import nearest
from pipeline.corpora.filed import PARTS, FileCorpus, several_references
from pipeline.corpora.lines import read_lines
from pipeline.problems import Problem

Column = Annotated[int, Field(ge=1)] | str


class Tsv(FileCorpus):
    """One file; a column is a number from 1 on, or a name where the file has a header."""

    file: Path
    """The file, relative to corpora.folder; plain, .gz, .zst, .xz or .bz2."""
    header: bool = False
    """The first line names the columns."""
    source: Column = 1
    """Column of the source."""
    target: Column = 2
    """Column of the target."""
    references: tuple[Column, ...] = ()
    """Columns of further references, beside the target."""
    group: Column | None = None
    """Column of the group (document, speaker), empty where a row has none. null: no column."""

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The one file."""
        return (folder / self.file,)

    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Rows of the file, without its header."""
        path = folder / self.file
        number, names = 1, None
        for lines in read_lines(path, self.line_end):
            if self.header and names is None:
                names, lines, number = lines[0].as_py().split("\t"), lines.slice(1), 2
            if len(lines):
                yield self._part(lines, names, path, number)
                number += len(lines)

    def _part(self, lines: Array, names: list[str] | None, path: Path, number: int) -> RecordBatch:
        wanted = [self.source, self.target, *self.references]
        wanted += [] if self.group is None else [self.group]
        places = [_place(column, names, path) for column in wanted]
        cells = pc.split_pattern(lines, "\t")
        _check_width(cells, max(places) + 1, lines, path, number)
        columns = [pc.list_element(cells, place) for place in places]
        group = pa.nulls(len(lines), pa.string()) if self.group is None else columns.pop()
        joined = several_references(columns[1:])
        return pa.record_batch([columns[0], columns[1], joined, group], schema=PARTS)


def _place(column: Column, names: list[str] | None, path: Path) -> int:
    """The column's index from 0 on."""
    if isinstance(column, int):
        return column - 1
    if names is None:
        remedy = "set header: true, or give the column's number"
        raise Problem(
            "a column by name needs a header", where=str(path), value=column, remedy=remedy
        )
    if column not in names:
        raise Problem(
            "no such column", where=f"{path}, line 1", value=column, remedy=nearest(column, names)
        )
    return names.index(column)


def _check_width(cells: Array, width: int, lines: Array, path: Path, number: int) -> None:
    found = np.asarray(pc.list_value_length(cells))
    if found.min() < width:
        place = int(np.argmax(found < width))
        raise Problem(
            f"malformed line: expected at least {width} columns between tabs, found {found[place]}",
            where=f"{path}, line {number + place}",
            value=lines[place].as_py(),
            remedy="correct the line, or the corpus's columns in params.yaml",
        )
