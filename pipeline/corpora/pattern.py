"""Lines that a pattern takes apart: for corpora whose line is neither columns nor JSON.

Example (SCAN): "IN: walk twice OUT: I_WALK I_WALK" with `IN: (?P<source>.*) OUT: (?P<target>.*)`.
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pydantic import field_validator

from pipeline.arrow import Array, RecordBatch
from pipeline.arrow import compute as pc
from pipeline.choose import nearest
from pipeline.corpora.filed import PARTS, FileCorpus, several_references
from pipeline.corpora.lines import read_lines
from pipeline.problems import Problem

GROUPS = ("source", "target", "group")


class Pattern(FileCorpus):
    """One file; what a named group of the pattern matches is a part of the row."""

    file: Path
    """The file, relative to corpora.folder; plain, .gz, .zst, .xz or .bz2."""
    pattern: str
    """A regular expression of RE2 for the whole line, with the groups `(?P<source>…)` and
    `(?P<target>…)`, and `(?P<group>…)` where the line names a document or speaker. RE2 takes time
    in proportion to the line, whatever the pattern; so it has no look-around or back-references."""

    @field_validator("pattern")
    @classmethod
    def _names_the_parts(cls, pattern: str) -> str:
        try:
            names = [field.name for field in _matched(pa.array([""]), pattern).type]
        except pa.ArrowInvalid as error:
            raise ValueError(f"no pattern of RE2: {error}") from None
        for name in names:
            if name not in GROUPS:
                raise ValueError(f"unknown group '{name}': {nearest(name, GROUPS)}")
        missing = {"source", "target"} - set(names)
        if missing or len(names) > len(set(names)):
            raise ValueError("the groups (?P<source>…) and (?P<target>…) are needed, each once")
        return pattern

    def files(self, folder: Path) -> tuple[Path, ...]:
        """The one file."""
        return (folder / self.file,)

    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Rows of the file."""
        path, number = folder / self.file, 1
        for lines in read_lines(path, self.line_end):
            found = _matched(lines, self.pattern)
            if found.null_count:
                raise _unlike(lines, found, self.pattern, path, number)
            yield _part(found)
            number += len(lines)


def _matched(lines: Array, pattern: str) -> Array:
    """A struct of the groups for each line, null where the pattern is not that of all the line."""
    return pc.extract_regex(lines, pattern=rf"\A(?:{pattern})\z")


def _part(found: Array) -> RecordBatch:
    names = [field.name for field in found.type]
    columns = {name: pc.struct_field(found, name) for name in names}
    none = pa.nulls(len(found), pa.string())
    references = several_references([columns["target"]])
    parts = [columns["source"], columns["target"], references, columns.get("group", none)]
    return pa.record_batch(parts, schema=PARTS)


def _unlike(lines: Array, found: Array, pattern: str, path: Path, number: int) -> Problem:
    place = pc.index(pc.is_null(found), True).as_py()
    return Problem(
        f"malformed line: it is not as the pattern says: {pattern}",
        where=f"{path}, line {number + place}",
        value=lines[place].as_py(),
        remedy="correct the line, or the corpus's pattern in params.yaml",
    )
