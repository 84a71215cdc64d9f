"""Parallel text: line n of one file is the translation of line n of the other.

Example: line 1 of `train.de.gz` is "Zwei junge weiße Männer sind im Freien in der Nähe vieler
Büsche.", line 1 of `train.en.gz` "Two young, White males are outside near many bushes.".
"""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from pipeline.arrow import Array, RecordBatch
from pipeline.corpora.filed import PARTS, FileCorpus, several_references
from pipeline.corpora.lines import read_lines
from pipeline.problems import Problem


class Parallel(FileCorpus):
    """Two files of equal length, and more where there are further references or groups."""

    source: Path
    """File of the sources, relative to corpora.folder; plain, .gz, .zst, .xz or .bz2."""
    target: Path
    """File of the targets."""
    references: tuple[Path, ...] = ()
    """Files of further references, beside the target."""
    group: Path | None = None
    """File with the group (document, speaker) of each line, empty where it has none. null: none."""

    def files(self, folder: Path) -> tuple[Path, ...]:
        """Source, target, further references, groups."""
        names = [self.source, self.target, *self.references]
        return tuple(folder / name for name in [*names, *([self.group] if self.group else [])])

    def parts(self, folder: Path) -> Iterator[RecordBatch]:
        """Lines of equal number side by side."""
        paths = self.files(folder)
        references = slice(1, 2 + len(self.references))
        for columns in _side_by_side(paths, [read_lines(p, self.line_end) for p in paths]):
            group = columns[-1] if self.group else pa.nulls(len(columns[0]), pa.string())
            joined = several_references(columns[references])
            yield pa.record_batch([columns[0], columns[1], joined, group], schema=PARTS)


def _side_by_side(paths: tuple[Path, ...], streams: list[Iterator[Array]]) -> Iterator[list[Array]]:
    """Arrays of equal length from every stream; a Problem where one ends before another."""
    number = 0
    waiting: list[Array] = [pa.array([], pa.string()) for _ in paths]
    while True:
        for index, stream in enumerate(streams):
            if len(waiting[index]) == 0:
                waiting[index] = next(stream, waiting[index])
        count = min(len(lines) for lines in waiting)
        if count == 0:
            break
        yield [lines.slice(0, count) for lines in waiting]
        waiting = [lines.slice(count) for lines in waiting]
        number += count
    if any(len(lines) for lines in waiting):
        raise _unequal(paths, waiting, streams, number)


def _unequal(
    paths: tuple[Path, ...], waiting: list[Array], streams: list[Iterator[Array]], number: int
) -> Problem:
    counts = [
        number + len(lines) + sum(map(len, stream))
        for lines, stream in zip(waiting, streams, strict=True)
    ]
    short = paths[counts.index(min(counts))]
    found = ", ".join(f"{path.name}: {count}" for path, count in zip(paths, counts, strict=True))
    return Problem(
        "files of one corpus have different numbers of lines",
        where=f"{short}, line {min(counts) + 1}",
        value=found,
        remedy="a line is missing or too many somewhere before: align the files again",
    )
